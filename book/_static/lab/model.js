"use strict";
/* A transformer: the forward pass of a small Mistral-style decoder, one token at a time, and what can be done to it. */
{
  const lab = (globalThis.linstudyLab ??= {});

  /* [the forward pass */
  /* A run is what the model has read so far. For every token it keeps the states between the layers and the scores of
     the next token; for every layer the keys and values that later tokens look back at. */
  function newRun(model) {
    return { tokens: [], states: [], logits: [], memory: model.layers.map(() => ({ keys: [], values: [] })) };
  }

  /* Read one more token. The plan says of each layer what it does, and how much of its update is added. */
  function readToken(model, plan, run, token) {
    const { width } = model;
    let state = model.embedding.slice(token * width, (token + 1) * width);
    const states = [state];
    model.layers.forEach((layer, index) => {
      const { does, size } = plan[index];
      if (does !== "remove") {
        const leaving = does === "map" ? applyMap(layer.map, state) : applyBlock(model, layer, state, run.memory[index]);
        state = state.map((x, i) => x + size * (leaving[i] - x));
      }
      states.push(state);
    });
    run.tokens.push(token);
    run.states.push(states);
    run.logits.push(readOff(model, state));
  }

  /* A layer: attention looks back, the MLP thinks about one token, and both add what they find to the stream. */
  function applyBlock(model, layer, state, memory) {
    const looked = add(state, attention(model, layer, normalise(state, layer.attentionNorm), memory));
    return add(looked, mlp(layer, normalise(looked, layer.mlpNorm)));
  }

  /* A layer turned into a matrix: y = Ax + b, the same for every token, and blind to all other tokens. */
  function applyMap({ matrix, bias }, state) {
    return add(multiply(matrix, state), bias);
  }

  function attention({ heads, keyHeads, headWidth, angles }, layer, x, { keys, values }) {
    const place = keys.length;
    const query = turn(multiply(layer.query, x), place, angles, headWidth);
    keys.push(turn(multiply(layer.key, x), place, angles, headWidth));
    values.push(multiply(layer.value, x));
    const mixed = new Float32Array(heads * headWidth);
    for (let head = 0; head < heads; head++) {
      const from = head * headWidth;
      const shared = Math.floor((head * keyHeads) / heads) * headWidth; // several query heads share a key head
      const scores = keys.map((key) => {
        let sum = 0;
        for (let i = 0; i < headWidth; i++) sum += query[from + i] * key[shared + i];
        return sum / Math.sqrt(headWidth);
      });
      softmax(scores).forEach((weight, token) => {
        const value = values[token];
        for (let i = 0; i < headWidth; i++) mixed[from + i] += weight * value[shared + i];
      });
    }
    return multiply(layer.output, mixed);
  }

  /* Rotary position: pairs of features are turned by angles that grow with the token's place, so that the product of
     a query and a key depends on how far apart their tokens stand. */
  function turn(x, place, angles, headWidth) {
    const turned = new Float32Array(x.length);
    const half = headWidth / 2;
    for (let head = 0; head < x.length; head += headWidth) {
      for (let i = 0; i < half; i++) {
        const [cos, sin] = [Math.cos(place * angles[i]), Math.sin(place * angles[i])];
        const [a, b] = [x[head + i], x[head + half + i]];
        turned[head + i] = a * cos - b * sin;
        turned[head + half + i] = b * cos + a * sin;
      }
    }
    return turned;
  }

  function mlp(layer, x) {
    const up = multiply(layer.up, x);
    const gated = multiply(layer.gate, x).map((g, i) => (g / (1 + Math.exp(-g))) * up[i]);
    return multiply(layer.down, gated);
  }

  /* The scores of all tokens to come next. Reading off an earlier state instead of the last one is the logit lens. */
  function readOff(model, state) {
    return multiply(model.embedding, normalise(state, model.norm));
  }

  function normalise(x, weight) {
    let squares = 0;
    for (const value of x) squares += value * value;
    const scale = 1 / Math.sqrt(squares / x.length + 1e-6);
    return x.map((value, i) => value * scale * weight[i]);
  }

  /* y = Wx, with W stored row by row. Four sums at once, for each has to wait for its own last addition. */
  function multiply(matrix, x) {
    const y = new Float32Array(matrix.length / x.length);
    for (let row = 0, at = 0; row < y.length; row++) {
      let [a, b, c, d] = [0, 0, 0, 0];
      for (let i = 0; i < x.length; i += 4, at += 4) {
        a += matrix[at] * x[i];
        b += matrix[at + 1] * x[i + 1];
        c += matrix[at + 2] * x[i + 2];
        d += matrix[at + 3] * x[i + 3];
      }
      y[row] = a + b + c + d;
    }
    return y;
  }

  function add(x, y) {
    return x.map((value, i) => value + y[i]);
  }

  function softmax(scores) {
    let highest = -Infinity;
    for (const score of scores) highest = Math.max(highest, score);
    const powers = Float64Array.from(scores, (score) => Math.exp(score - highest));
    const sum = powers.reduce((a, b) => a + b, 0);
    return powers.map((power) => power / sum);
  }
  /* the forward pass] */

  /* [what is measured */
  /* How surprised a run was by a token of its text: minus the logarithm of the probability it gave it, in nats. */
  function lossOf(run, index) {
    return -Math.log(softmax(run.logits[index - 1])[run.tokens[index]]);
  }

  /* The mean over the text; the token that starts it is given, not predicted. */
  function meanLoss(run) {
    const count = run.tokens.length - 1;
    let sum = 0;
    for (let index = 1; index <= count; index++) sum += lossOf(run, index);
    return count ? sum / count : NaN;
  }

  /* How far what leaves a layer lies from where the layer's map puts it, in units of a typical token's deviation. */
  function mapError(layer, entering, leaving) {
    const predicted = applyMap(layer.map, entering);
    return Math.hypot(...leaving.map((y, i) => y - predicted[i])) / layer.scale;
  }

  /* The likeliest next tokens: [{id, probability}], the likeliest first. */
  function likeliest(logits, count) {
    const probabilities = softmax(logits);
    const ids = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]);
    return ids.slice(0, count).map((id) => ({ id, probability: probabilities[id] }));
  }
  /* what is measured] */

  /* Read a text, token by token. What a run has in common with it stays, so that typing on reads only what is new. */
  function* readText(model, plan, run, tokens) {
    let length = 0;
    while (length < run.tokens.length && run.tokens[length] === tokens[length]) length++;
    for (const kept of [run.tokens, run.states, run.logits]) kept.length = length;
    for (const { keys, values } of run.memory) keys.length = values.length = Math.min(keys.length, length);
    for (const token of tokens.slice(length)) yield readToken(model, plan, run, token);
  }

  /* Go on from where a run stands, which stays there: the likeliest token, again and again, until the story ends. */
  function* tellStory(model, plan, run, count) {
    const memory = run.memory.map(({ keys, values }) => ({ keys: [...keys], values: [...values] }));
    const own = { tokens: [...run.tokens], states: [...run.states], logits: [...run.logits], memory };
    for (let told = 0; told < count; told++) {
      const [{ id }] = likeliest(own.logits.at(-1), 1);
      if (id === 0) return;
      readToken(model, plan, own, id);
      yield id;
    }
  }

  /* The plan that leaves the model as it is; `changes` maps numbers of layers, from 1, to what they do instead. */
  function makePlan(model, changes = {}) {
    return model.layers.map((_, index) => ({ does: changes[index + 1] ?? "keep", size: 1 }));
  }

  const isWhole = (plan) => plan.every(({ does, size }) => does === "keep" && size === 1);

  /* What the book's chapters do to a model. */
  const PRESETS = {
    whole: { says: "Whole model", changes: () => ({}) },
    "most-linear": { says: "Remove the most linear layer", changes: ({ layers }) => same(best(layers, 1, "linearity", -1), "remove") },
    "four-maps": { says: "Replace four layers by maps", changes: ({ layers }) => same(best(layers, 4, "replaced", 1), "map") },
    "first-map": { says: "Replace the first layer", changes: () => ({ 1: "map" }) },
    "first-removed": { says: "Remove the first layer", changes: () => ({ 1: "remove" }) },
  };

  function best(layers, count, fact, sign) {
    const numbers = layers.map((_, index) => index + 1);
    return numbers.sort((a, b) => sign * (layers[a - 1][fact] - layers[b - 1][fact])).slice(0, count);
  }

  const same = (numbers, does) => Object.fromEntries(numbers.map((number) => [number, does]));

  /* What tools/export_lab.py wrote: weights in bfloat16, maps in float32, both as base64. */
  function unpack(packed) {
    const { width, hidden, heads, keyHeads, headWidth, base } = packed;
    const halves = new Uint16Array(bytes(packed.weights)); // a bfloat16 is the upper half of a float32
    const whole = new Uint32Array(halves.length);
    for (let i = 0; i < halves.length; i++) whole[i] = halves[i] << 16;
    const weights = taker(new Float32Array(whole.buffer));
    const maps = taker(new Float32Array(bytes(packed.maps)));
    const model = { name: packed.name, width, heads, keyHeads, headWidth, words: new Set(packed.words) };
    model.angles = Array.from({ length: headWidth / 2 }, (_, i) => base ** ((-2 * i) / headWidth));
    model.tokenizer = lab.makeTokenizer(packed.vocabulary, packed.merges);
    model.embedding = weights(packed.vocabulary.length * width);
    model.layers = packed.layers.map((facts) => ({
      ...facts, // linearity, update_linearity, scale, and what removing and replacing it costs, in nats
      attentionNorm: weights(width),
      query: weights(heads * headWidth * width),
      key: weights(keyHeads * headWidth * width),
      value: weights(keyHeads * headWidth * width),
      output: weights(width * heads * headWidth),
      mlpNorm: weights(width),
      gate: weights(hidden * width),
      up: weights(hidden * width),
      down: weights(width * hidden),
      map: { matrix: maps(width * width), bias: maps(width) },
    }));
    model.norm = weights(width);
    return model;
  }

  function taker(all) {
    let at = 0;
    return (count) => all.subarray(at, (at += count));
  }

  function bytes(base64) {
    const text = atob(base64);
    const found = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) found[i] = text.charCodeAt(i);
    return found.buffer;
  }

  Object.assign(lab, { newRun, readToken, readText, tellStory, readOff, unpack, makePlan, isWhole, PRESETS, packed: {} });
  Object.assign(lab, { lossOf, meanLoss, mapError, likeliest });
}
