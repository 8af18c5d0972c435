"use strict";
/* A transformer: the forward pass of a small Mistral-style decoder, a token at a time. */
{
  const lab = (globalThis.linstudyLab ??= {});

  /* [the forward pass */
  /* A run is what the model has read so far. Of every token it keeps the states
     between the layers and the scores of the next token; of every layer the keys
     and values that later tokens look back at. */
  function newRun(model) {
    const memory = model.layers.map(() => ({ keys: [], values: [] }));
    return { tokens: [], states: [], scores: [], memory };
  }

  /* Read one more token. The plan says of each layer what it does, and how much
     of its update is added. */
  function readToken(model, plan, run, token) {
    const { width, embedding, layers } = model;
    let state = embedding.slice(token * width, (token + 1) * width);
    const states = [state];
    layers.forEach((layer, index) => {
      const { does, size } = plan[index];
      if (does !== "remove") {
        const leaving =
          does === "map"
            ? applyMap(layer.map, state)
            : applyLayer(model, layer, state, run.memory[index]);
        state = add(state, add(leaving, state, -1), size);
      }
      states.push(state);
    });
    run.tokens.push(token);
    run.states.push(states);
    run.scores.push(readOff(model, state));
  }

  /* A layer as it was trained: attention looks back, the MLP works on one token,
     and both add what they find to the stream. */
  function applyLayer(model, layer, state, memory) {
    const ready = normalise(state, layer.attentionNorm);
    const looked = add(state, attention(model, layer, ready, memory));
    return add(looked, mlp(layer, normalise(looked, layer.mlpNorm)));
  }

  /* A layer turned into a matrix: y = Ax + b, the same for every token, and blind
     to all other tokens. */
  function applyMap({ matrix, bias }, state) {
    return add(multiply(matrix, state), bias);
  }

  function attention(model, layer, x, { keys, values }) {
    const { heads, keyHeads, headWidth, angles } = model;
    const place = keys.length;
    const query = turn(multiply(layer.query, x), place, angles);
    keys.push(turn(multiply(layer.key, x), place, angles));
    values.push(multiply(layer.value, x));
    const mixed = new Float32Array(heads * headWidth);
    for (let head = 0; head < heads; head++) {
      const at = head * headWidth;
      // Several query heads share a head of keys and values.
      const from = Math.floor((head * keyHeads) / heads) * headWidth;
      const fits = keys.map((key) => {
        let sum = 0;
        for (let i = 0; i < headWidth; i++) sum += query[at + i] * key[from + i];
        return sum / Math.sqrt(headWidth);
      });
      const shares = softmax(fits);
      values.forEach((value, token) => {
        const share = shares[token];
        for (let i = 0; i < headWidth; i++) mixed[at + i] += share * value[from + i];
      });
    }
    return multiply(layer.output, mixed);
  }

  /* Rotary position: pairs of features are turned by angles that grow with the
     token's place, so that the product of a query and a key depends on how far
     apart their tokens stand. */
  function turn(x, place, angles) {
    const half = angles.length;
    const turned = new Float32Array(x.length);
    for (let head = 0; head < x.length; head += 2 * half) {
      for (let i = 0; i < half; i++) {
        const cos = Math.cos(place * angles[i]);
        const sin = Math.sin(place * angles[i]);
        const [a, b] = [x[head + i], x[head + half + i]];
        turned[head + i] = a * cos - b * sin;
        turned[head + half + i] = b * cos + a * sin;
      }
    }
    return turned;
  }

  function mlp(layer, x) {
    const gate = multiply(layer.gate, x);
    const gated = multiply(layer.up, x);
    for (let i = 0; i < gated.length; i++) gated[i] *= gate[i] / (1 + Math.exp(-gate[i]));
    return multiply(layer.down, gated);
  }

  /* The scores of all tokens to come next. Reading off an earlier state instead
     of the last one is the logit lens. */
  function readOff(model, state) {
    return multiply(model.embedding, normalise(state, model.norm));
  }

  function normalise(x, weight) {
    let squares = 0;
    for (const value of x) squares += value * value;
    const scale = 1 / Math.sqrt(squares / x.length + 1e-6);
    const y = new Float32Array(x.length);
    for (let i = 0; i < x.length; i++) y[i] = x[i] * scale * weight[i];
    return y;
  }

  /* y = Wx, with W stored row by row. Four sums at once, for each has to wait for
     its own last addition. */
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

  /* x + size · y. Plain loops, here and above: `map` of an array makes an object of
     every number, and to clear these away takes longer than the sum. */
  function add(x, y, size = 1) {
    const sum = new Float32Array(x.length);
    for (let i = 0; i < x.length; i++) sum[i] = x[i] + size * y[i];
    return sum;
  }

  function softmax(scores) {
    let highest = -Infinity;
    for (const score of scores) highest = Math.max(highest, score);
    const shares = new Float64Array(scores.length);
    let sum = 0;
    for (let i = 0; i < shares.length; i++) sum += shares[i] = Math.exp(scores[i] - highest);
    for (let i = 0; i < shares.length; i++) shares[i] /= sum;
    return shares;
  }
  /* the forward pass] */

  /* [what is measured */
  /* How surprised a run was by a token of its text: minus the logarithm of the
     probability it gave it, in nats. */
  function lossOf(run, index) {
    return -Math.log(softmax(run.scores[index - 1])[run.tokens[index]]);
  }

  /* The mean over the text; the token that starts it is given, not predicted. */
  function meanLoss(run) {
    const count = run.tokens.length - 1;
    let sum = 0;
    for (let index = 1; index <= count; index++) sum += lossOf(run, index);
    return count ? sum / count : NaN;
  }

  /* How far what leaves a layer lies from where the layer's map puts it, in units
     of a typical token's distance from the mean. */
  function mapError(layer, entering, leaving) {
    const off = add(leaving, applyMap(layer.map, entering), -1);
    return Math.hypot(...off) / layer.scale;
  }

  /* Next tokens, the likeliest first: [{id, probability}]. */
  function likeliest(scores, count) {
    const shares = softmax(scores);
    const least = shares.slice().sort().at(-count); // the share of the last one wanted
    const ids = [...shares.keys()].filter((id) => shares[id] >= least);
    ids.sort((a, b) => shares[b] - shares[a]);
    return ids.slice(0, count).map((id) => ({ id, probability: shares[id] }));
  }
  /* what is measured] */

  Object.assign(lab, { newRun, readToken, readOff, lossOf, meanLoss, mapError, likeliest });
}
