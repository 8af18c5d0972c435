"use strict";
/* What is done with the model: texts read and continued, layers changed, the model itself unpacked. */
{
  const lab = (globalThis.linstudyLab ??= {});

  /* Read a text, token by token. What a run has in common with it stays, so that typing on reads only what is new. */
  function* readText(model, plan, run, tokens) {
    let length = 0;
    while (length < run.tokens.length && run.tokens[length] === tokens[length]) length++;
    for (const kept of [run.tokens, run.states, run.scores]) kept.length = length;
    for (const { keys, values } of run.memory) keys.length = values.length = Math.min(keys.length, length);
    for (const token of tokens.slice(length)) yield lab.readToken(model, plan, run, token);
  }

  /* Go on from where a run stands, which stays there: the likeliest token, again and again, until the story ends. */
  function* tellStory(model, plan, run, count) {
    const memory = run.memory.map(({ keys, values }) => ({ keys: [...keys], values: [...values] }));
    const own = { tokens: [...run.tokens], states: [...run.states], scores: [...run.scores], memory };
    for (let told = 0; told < count; told++) {
      const [{ id }] = lab.likeliest(own.scores.at(-1), 1);
      if (id === 0) return;
      lab.readToken(model, plan, own, id);
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
    "most-linear": {
      says: "Remove the most linear layer",
      changes: ({ layers }) => all(inOrder(layers, ({ linearity }) => -linearity).slice(0, 1), "remove"),
    },
    "four-maps": {
      says: "Replace four layers by maps", // those that cost least alone
      changes: ({ layers }) => all(inOrder(layers, ({ replaced }) => replaced).slice(0, 4), "map"),
    },
    "first-map": { says: "Replace the first layer by its map", changes: () => ({ 1: "map" }) },
    "first-removed": { says: "Remove the first layer", changes: () => ({ 1: "remove" }) },
  };

  /* Numbers of layers, from 1, the least of something first. */
  function inOrder(layers, measured) {
    const numbers = layers.map((_, index) => index + 1);
    return numbers.sort((a, b) => measured(layers[a - 1]) - measured(layers[b - 1]));
  }

  const all = (numbers, does) => Object.fromEntries(numbers.map((number) => [number, does]));

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
      ...facts, // linearity, update_linearity, scale, and what replacing it by its map costs, in nats
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

  Object.assign(lab, { readText, tellStory, makePlan, isWhole, PRESETS, unpack, packed: {} });
}
