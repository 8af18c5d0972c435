"use strict";
/* What the laboratory shows, as HTML: the same functions draw it while the book is built and while it is used. */
{
  const lab = (globalThis.linstudyLab ??= {});

  const MODELS = {
    "stories-1m": "stories-1m, no penalty",
    "stories-1m-mse": "stories-1m, MSE penalty",
    "stories-1m-cosine": "stories-1m, cosine penalty",
  };
  const DOES = { keep: "keep", map: "map", remove: "remove" };
  const PANELS = ["tokens", "layers", "next", "story", "lens", "errors"]; // in this order
  const GUESSES = 6;
  const TOLD = 40; // tokens of the story that goes on

  const escaped = (text) =>
    text.replace(/[&<>"']/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[sign]);

  /* A token as it can be seen: blanks are marked, line ends too; the one that stands before a story is its start. */
  function visible(text) {
    if (text === lab.END) return "start";
    const blank = text.trim() ? '<span aria-hidden="true">·</span>' : "·"; // before a word it is not read aloud
    return escaped(text.replace(/\n/g, "⏎")).replace(/^ /, blank) || "…";
  }

  /* The same in a sentence, read aloud or shown. */
  function quoted(text) {
    if (text === lab.END) return "the start of a story";
    return text.trim() ? `“${escaped(text.trim())}”` : text.includes("\n") ? "a new line" : text ? "a blank" : "part of a letter";
  }

  const nats = (value) => (Number.isFinite(value) ? value.toFixed(2) : "–");
  const percent = (share) => (share < 0.0005 ? "<0.1" : (100 * share).toFixed(share < 0.0995 ? 1 : 0)) + " %";
  const short = (value) => (value < 0.995 ? value.toFixed(2).slice(1) : value.toFixed(value < 9.95 ? 1 : 0));

  /* The laboratory with all its parts. `options` are those of the directive, `seen` is what there is to see. */
  function frame(options, seen) {
    const shown = PANELS.filter((panel) => options.show.includes(panel));
    const presets = Object.entries(lab.PRESETS)
      .map(([name, { says }]) => `<button type="button" data-preset="${name}" aria-pressed="false">${says}</button>`)
      .join("");
    const models = Object.entries(MODELS)
      .map(([name, says]) => `<option value="${name}"${name === options.model ? " selected" : ""}>${says}</option>`)
      .join("");
    const changing = `
      <label class="lab-model">Model <select autocomplete="off">${models}</select></label>
      <div class="lab-presets" role="group" aria-label="Changes to try">${presets}</div>`;
    return `
      <label class="lab-text lab-control">The beginning of a story
        <textarea rows="3" spellcheck="false" autocomplete="off">${escaped(options.text)}</textarea></label>
      <p class="lab-note" data-part="note">${note(seen)}</p>
      ${shown.includes("layers") ? `<div class="lab-control lab-changing">${changing}</div>` : fixed(options)}
      <p class="lab-loss" data-part="loss">${loss(seen)}</p>
      <div class="lab-panels">${shown.map((panel) => section(panel, options, seen)).join("")}</div>
      <p class="lab-status" role="status"></p>`;
  }

  /* What was done to the model where the reader cannot choose it. */
  const fixed = ({ preset }) =>
    preset === "whole" ? "" : `<p class="lab-line">The changed model: ${lab.PRESETS[preset].says.toLowerCase()}.</p>`;

  const TITLES = {
    tokens: "Tokens",
    layers: "Layers",
    next: "Next token",
    story: "How the story goes on",
    errors: "Error of each layer’s best map",
    lens: "Logit lens",
  };

  function section(panel, options, seen) {
    const body = panel === "layers" ? layerControls(options, seen) : parts[panel](seen);
    const control = panel === "layers" ? " lab-control" : "";
    return `<section class="lab-panel lab-panel-${panel}${control}" aria-label="${TITLES[panel]}">
      <p class="lab-title" aria-hidden="true">${TITLES[panel]}</p><div data-part="${panel}">${body}</div></section>`;
  }

  /* One row a layer: what it does, and how much of its update is added. */
  function layerControls({ id }, { model, plan }) {
    const rows = plan.map(({ does, size }, index) => {
      const number = index + 1;
      const choices = Object.entries(DOES).map(
        ([value, says]) =>
          `<label><input type="radio" autocomplete="off" name="${id}-layer-${number}" value="${value}"` +
          `${value === does ? " checked" : ""}>` +
          `<span>${says}</span></label>`,
      );
      return `<fieldset class="lab-layer" data-layer="${number}"><legend>Layer ${number}</legend>
        <span class="lab-choices">${choices.join("")}</span>
        <span class="lab-size"><input type="range" min="0" max="2" step="0.1" value="${size}" autocomplete="off"
          aria-label="Size of the update of layer ${number}"><span class="lab-value" aria-hidden="true">${size.toFixed(1)}</span></span>
        <span class="lab-fact" data-fact="${number}">${layerFact(model.layers[index])}</span></fieldset>`;
    });
    return rows.join("");
  }

  const layerFact = (layer) => `LS ${score(layer.linearity)}, update ${score(layer.update_linearity)}`;
  const score = (value) => value.toFixed(value > 0.995 ? 4 : 2);

  /* Words that no story has: the model never read them. The last one may not be finished yet. */
  function note({ model, text, cut }) {
    const words = (text.match(/\p{L}+(?=\P{L})/gu) ?? []).filter((word) => !model.words.has(word.toLowerCase()));
    const strange = [...new Set(words)];
    const said = [];
    if (strange.length) {
      const some = strange.slice(0, 5).map((word) => `“${escaped(word)}”`);
      const more = strange.length > 5 ? ` and ${strange.length - 5} more` : "";
      said.push(`Not a word of the stories this model has read: ${some.join(", ")}${more}. From there on it guesses.`);
    }
    if (cut) said.push(`Only the first ${cut} tokens are read.`);
    return said.join(" ");
  }

  function loss({ whole, yours }) {
    const figure = (run, says) => `<span>${says} <b>${nats(lab.meanLoss(run))}</b></span>`;
    const both = figure(whole, "whole model") + (yours ? figure(yours, "changed") : "");
    return `<span>Loss, in nats per token of this text:</span> ${both}`;
  }

  function tokens(seen) {
    const { texts, selected, whole, yours, still } = seen;
    const buttons = texts.map((text, index) => {
      const chosen = index === selected;
      return (
        `<button type="button" role="radio" aria-checked="${chosen}" tabindex="${chosen ? 0 : -1}" data-key="token-${index}" ` +
        `data-token="${index}"${still ? " disabled" : ""} aria-label="${quoted(text)}">${visible(text)}</button>`
      );
    });
    const losses = selected
      ? ` Loss: ${nats(lab.lossOf(whole, selected))} nats${yours ? `, changed ${nats(lab.lossOf(yours, selected))}` : ""}.`
      : "";
    return `<div class="lab-tokens" role="radiogroup" data-roving aria-label="Tokens of the text; the chosen one is looked at below">
      ${buttons.join("")}</div>
      <p class="lab-line">Token ${selected + 1} of ${texts.length}: ${quoted(texts[selected])}.${losses}</p>`;
  }

  function next(seen) {
    const { model, whole, yours, selected, texts } = seen;
    const columns = [lab.likeliest(whole.scores[selected], model.tokenizer.vocabulary.length)];
    if (yours) columns.push(lab.likeliest(yours.scores[selected], model.tokenizer.vocabulary.length));
    const follows = whole.tokens[selected + 1];
    const shares = columns.map((guesses) => new Map(guesses.map(({ id, probability }) => [id, probability])));
    const ids = new Set(columns.flatMap((guesses) => guesses.slice(0, yours ? GUESSES / 2 : GUESSES)).map(({ id }) => id));
    columns[0].slice(0, GUESSES).forEach(({ id }) => ids.size < GUESSES && ids.add(id));
    if (follows !== undefined) ids.add(follows);
    const rows = [...ids].map((id) => {
      const [name] = lab.decode(model.tokenizer, [id]);
      const cells = shares.map((share) => {
        const value = share.get(id);
        return `<td><span class="lab-bar" style="--share: ${(100 * value).toFixed(1)}%"></span>${percent(value)}</td>`;
      });
      const text = id === 0 ? "end of story" : visible(name);
      return `<tr${id === follows ? ' class="lab-follows"' : ""}><th scope="row">${text}</th>${cells.join("")}</tr>`;
    });
    const text = follows === undefined ? "" : " The marked one is how the text goes on.";
    return `<table><caption>After ${quoted(texts[selected])}.${text}</caption>
      ${heads(["token"], yours)}<tbody>${rows.join("")}</tbody></table>`;
  }

  const heads = (first, yours) =>
    `<thead><tr>${[...first, "whole model", ...(yours ? ["changed"] : [])].map((head) => `<th scope="col">${head}</th>`).join("")}</tr></thead>`;

  /* The last words of a text, whole ones. */
  const ending = (text) => (text.length > 40 ? text.slice(-40).replace(/^\S*\s+/, "… ") : text);

  function story({ model, text, story: told, yours }) {
    const one = (ids, says) =>
      `<p><span class="lab-who">${says}</span> <span class="lab-given">${escaped(ending(text))}</span>` +
      `<mark>${escaped(lab.decode(model.tokenizer, ids).join(""))}</mark></p>`;
    return one(told.whole, "Whole model") + (yours ? one(told.yours, "Changed") : "");
  }

  /* The error of every layer's map on a token, measured once for its states, which most changes leave as they are. */
  const measured = new WeakMap();
  function errorsOf(model, states) {
    const errors = measured.get(states) ?? model.layers.map((layer, index) => lab.mapError(layer, states[index], states[index + 1]));
    measured.set(states, errors);
    return errors;
  }

  function errors({ model, whole, texts, selected, still }) {
    const rows = texts.map((text, token) => {
      const cells = errorsOf(model, whole.states[token]).map((error, index) => {
        const place = `${token}-${index}`;
        return (
          `<td role="gridcell" tabindex="${token === selected && !index && !still ? 0 : -1}" data-key="error-${place}" ` +
          `style="--heat: ${Math.round(Math.min(error, 1.2) * 40)}%" aria-label="${quoted(text)}, layer ${index + 1}: ${error < 0.995 ? "0" : ""}${short(error)}">` +
          `${short(error)}</td>`
        );
      });
      return `<tr role="row"><th scope="row">${visible(text)}</th>${cells.join("")}</tr>`;
    });
    const numbers = model.layers.map((_, index) => `<th scope="col"><span class="lab-hidden">layer </span>${index + 1}</th>`);
    return `<div class="lab-wide"><table role="grid" data-roving="${model.layers.length}" aria-label="Error of each layer’s best affine map on each token">
      <thead><tr role="row"><th scope="col">token</th>${numbers.join("")}</tr></thead><tbody>${rows.join("")}</tbody></table></div>
      <p class="lab-line">In the whole model. 0: the map is right; 1: it is off by as much as a typical token lies from the mean.</p>`;
  }

  function lens({ model, whole, yours, selected, texts }) {
    const rows = whole.states[selected].map((_, boundary) => {
      const cells = (yours ? [whole, yours] : [whole]).map((run) => {
        const guesses = lab.likeliest(lab.readOff(model, run.states[selected][boundary]), 3);
        const names = guesses.map(({ id }) => `<span class="lab-piece">${visible(lab.decode(model.tokenizer, [id])[0])}</span>`);
        return `<td>${names.join(" ")} <span class="lab-fact">${percent(guesses[0].probability)}</span></td>`;
      });
      return `<tr><th scope="row">${boundary ? `layer ${boundary}` : "embedding"}</th>${cells.join("")}</tr>`;
    });
    return `<table><caption>After ${quoted(texts[selected])}: the three likeliest next tokens if the model stopped there, and the share of the first.</caption>
      ${heads(["after"], yours)}<tbody>${rows.join("")}</tbody></table>`;
  }

  /* What is said to those who listen, once things have come to rest. */
  function summary({ model, whole, yours, selected, texts }) {
    const said = (run) => {
      const [{ id, probability }] = lab.likeliest(run.scores[selected], 1);
      const name = id === 0 ? "the end of the story" : quoted(lab.decode(model.tokenizer, [id])[0]);
      return `loss ${nats(lab.meanLoss(run))}, after ${quoted(texts[selected])} most likely ${name}, ${percent(probability)}`;
    };
    return `Whole model: ${said(whole)}.${yours ? ` Changed: ${said(yours)}.` : ""}`;
  }

  const parts = { note, loss, tokens, next, story, errors, lens };
  Object.assign(lab, { frame, parts, layerFact, summary, TOLD });
}
