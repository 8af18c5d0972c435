"use strict";
/* The laboratory in use: what is typed and chosen goes to the model, in slices, so that the page never stands still. */
{
  const lab = (globalThis.linstudyLab ??= {});

  const SLICE = 12; // milliseconds of work between two looks at what the reader does
  const LONGEST = 200; // tokens that are read
  const QUIET = 1000; // milliseconds after the last change until its result is said aloud
  const folder = new URL(".", document.currentScript.src);

  const pause = () => globalThis.scheduler?.yield?.() ?? new Promise((done) => setTimeout(done));

  /* Models, by name: each is fetched by a script tag, for that works from a disk, and unpacked once for all. */
  const models = new Map();

  function load(name) {
    if (!models.has(name)) models.set(name, new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = new URL(`${name}.js`, folder);
      script.onerror = () => {
        models.delete(name);
        failed(new Error(`The model ${name} could not be loaded.`));
      };
      script.onload = () => {
        try {
          done(lab.unpack(lab.packed[name]));
          delete lab.packed[name];
        } catch {
          script.onerror(); // only a part of it came
        }
      };
      document.head.append(script);
    }));
    return models.get(name);
  }

  function start(element) {
    const find = (selector) => element.querySelector(selector);
    const all = (selector) => [...element.querySelectorAll(selector)];
    const given = element.dataset;
    let name = given.model;
    let selected = null; // the chosen token; none: the last one
    let latest = 0; // counts the changes: what was begun for an earlier one stops
    let model, whole, yours, plan, seen, saying, noted;
    element.classList.add("live");
    for (const button of all(".lab-tokens :disabled")) button.disabled = false;
    for (const cell of all("tr:last-child > [role=gridcell]:nth-child(2)")) cell.tabIndex = 0;

    function part(name, html) {
      const place = find(`[data-part="${name}"]`);
      if (!place || place.shown === html) return;
      const focused = place.contains(document.activeElement) && document.activeElement.dataset.key;
      place.innerHTML = place.shown = html;
      if (focused) find(`[data-key="${focused}"]`)?.focus();
    }

    function draw(...names) {
      for (const one of names) if (find(`[data-part="${one}"]`)) part(one, lab.parts[one](seen));
    }

    function planFromControls() {
      const rows = all(".lab-layer");
      if (!rows.length) return lab.makePlan(model, lab.PRESETS[given.preset].changes(model));
      return rows.map((row) => {
        const does = row.querySelector(":checked").value;
        const slider = row.querySelector("[type=range]");
        slider.disabled = does === "remove";
        row.querySelector(".lab-value").textContent = does === "remove" ? "0" : Number(slider.value).toFixed(1);
        return { does, size: Number(slider.value) };
      });
    }

    function setControls(preset, model) {
      const changes = lab.PRESETS[preset].changes(model);
      for (const row of all(".lab-layer")) {
        row.querySelector(`[value="${changes[row.dataset.layer] ?? "keep"}"]`).checked = true;
        row.querySelector("[type=range]").value = 1;
      }
    }

    function markPreset() {
      const now = JSON.stringify(plan);
      for (const button of all("[data-preset]")) {
        const its = lab.makePlan(model, lab.PRESETS[button.dataset.preset].changes(model));
        button.setAttribute("aria-pressed", JSON.stringify(its) === now);
      }
    }

    /* Run through a generator in slices; false where the reader has changed something meanwhile. */
    async function inSlices(steps, mine, after = () => {}) {
      let until = performance.now() + SLICE;
      for (const step of steps) {
        after(step);
        if (performance.now() < until) continue;
        await pause();
        if (mine !== latest) return false;
        until = performance.now() + SLICE;
      }
      return mine === latest;
    }

    /* The panels that are drawn anew: not the layers, nor the text, in which the reader is. */
    function setBusy(busy) {
      for (const panel of all(".lab-panel:not(.lab-control)")) panel.setAttribute("aria-busy", busy);
    }

    async function update() {
      const mine = ++latest;
      clearTimeout(saying);
      setBusy(true);
      const wanted = await load(name);
      if (mine !== latest) return;
      if (model !== wanted) {
        model = wanted;
        whole = lab.newRun(model);
        yours = lab.newRun(model);
        all("[data-fact]").forEach((fact, index) => { fact.textContent = lab.layerFact(model.layers[index]); });
      }
      const before = JSON.stringify(plan);
      plan = planFromControls();
      markPreset();
      if (JSON.stringify(plan) !== before) yours = lab.newRun(model);
      const text = find("textarea").value;
      const read = [0, ...lab.encode(model.tokenizer, text)];
      const ids = read.slice(0, LONGEST);
      const keep = lab.makePlan(model);
      const changed = !lab.isWhole(plan);
      if (!(await inSlices(lab.readText(model, keep, whole, ids), mine))) return;
      if (changed && !(await inSlices(lab.readText(model, plan, yours, ids), mine))) return;
      if (selected !== null && selected >= ids.length) selected = null;
      seen = {
        model, plan, text, whole,
        cut: read.length > LONGEST && LONGEST,
        yours: changed ? yours : null,
        texts: lab.decode(model.tokenizer, ids),
        selected: selected ?? ids.length - 1,
        story: { whole: [], yours: [] },
      };
      draw("note", "loss", "tokens", "next", "lens", "errors");
      if (find('[data-part="story"]')) {
        const told = { whole: [], yours: [] };
        const write = (one) => (id) => { told[one].push(id); };
        if (!(await inSlices(lab.tellStory(model, keep, whole, lab.TOLD), mine, write("whole")))) return;
        if (changed && !(await inSlices(lab.tellStory(model, plan, yours, lab.TOLD), mine, write("yours")))) return;
        seen.story = told;
        draw("story");
      }
      setBusy(false);
      say();
    }

    /* Say what there is to see; a note once, not again with every token that is chosen. */
    function say() {
      clearTimeout(saying);
      saying = setTimeout(() => {
        const note = lab.parts.note(seen);
        find(".lab-status").innerHTML = (note === noted ? "" : `${note} `) + lab.summary(seen);
        noted = note;
      }, QUIET);
    }

    function change() {
      const done = update();
      const mine = latest;
      return done.catch((error) => {
        if (mine !== latest) return;
        const note = find('[data-part="note"]');
        const told = `${error.message} Change something to try again.`;
        note.textContent = note.shown = told;
        find(".lab-status").textContent = told;
        setBusy(false);
      });
    }

    function choose(index) {
      if (!seen) return;
      selected = index === seen.texts.length - 1 ? null : index;
      if ([whole, seen.yours].some((run) => run && !run.scores[index])) return; // it is being read, and drawn after that
      seen.selected = index;
      draw("tokens", "next", "lens");
      say();
    }

    element.addEventListener("input", ({ target }) => {
      if (target.matches("textarea")) selected = null;
      if (target.matches("select")) name = target.value;
      change();
    });
    element.addEventListener("click", async ({ target }) => {
      const button = target.closest("button");
      if (!button) return;
      if (button.dataset.token) {
        if (!seen) await change();
        choose(Number(button.dataset.token));
      } else if (button.dataset.preset) {
        const its = await load(name).catch(() => null); // the model that is asked for, which may not be there yet
        if (its) setControls(button.dataset.preset, its);
        change();
      }
    });

    /* One stop of the tab key for many tokens or cells; arrows go from one to the next. */
    element.addEventListener("keydown", (event) => {
      const group = event.target.closest("[data-roving]");
      if (!group || event.altKey || event.ctrlKey || event.metaKey) return;
      const items = [...group.querySelectorAll("[data-key]")];
      const at = items.indexOf(event.target.closest("[data-key]"));
      const across = Number(group.dataset.roving) || 1;
      const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across, Home: -at, End: items.length - 1 - at };
      const to = items[at + steps[event.key]];
      if (!(event.key in steps)) return;
      event.preventDefault();
      if (!to) return;
      for (const item of items) item.tabIndex = item === to ? 0 : -1;
      to.focus();
      if (to.dataset.token) to.click();
    });
    const explain = ({ target }) => {
      const cell = target.closest?.("[role=gridcell]");
      if (cell) cell.closest("[data-part]").querySelector(".lab-line").textContent = `${cell.getAttribute("aria-label")}.`;
    };
    element.addEventListener("focusin", explain);
    element.addEventListener("pointerover", explain);

    /* The model comes at the first sign that somebody is about to use it: until then the page is light. */
    for (const sign of ["pointerenter", "focusin", "touchstart"]) {
      element.addEventListener(sign, () => latest || change(), { once: true, passive: true });
    }
  }

  lab.load = load;
  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".lab").forEach(start));
}
