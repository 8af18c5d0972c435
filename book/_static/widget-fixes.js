/* Repairs for ipywidgets' html-manager 1.0.x inside the book's theme, and the names its controls lack. */

/* 1. The theme's Font Awesome swaps every <i> for an <svg>, also those that widgets add later, which then no longer
      find them. The html-manager brings its own icon font, so leave what is added later alone. */
if (window.FontAwesome) window.FontAwesome.config.observeMutations = false;
else window.FontAwesomeConfig = { observeMutations: false };

/* 2. The html-manager speaks MathJax 2 (MathJax.Hub.Queue) as soon as a global MathJax exists; the book has MathJax 3.
      Without this, every widget with a description throws on pages that also hold a formula. Deferred scripts (MathJax)
      have run by DOMContentLoaded, and the html-manager starts at "load". */
document.addEventListener("DOMContentLoaded", () => {
  const mathjax = window.MathJax;
  if (!mathjax || mathjax.Hub) return;
  mathjax.Hub = {
    Queue(...jobs) {
      for (const job of jobs) {
        if (!Array.isArray(job) || job[0] !== "Typeset") continue;
        const element = job[2];
        element?.classList.add("mathjax_process"); // MyST marks the page mathjax_ignore
        mathjax.startup.promise = mathjax.startup.promise
          .then(() => mathjax.typesetPromise(element ? [element] : undefined))
          .catch((error) => console.warn("MathJax:", error.message));
      }
    },
  };
});

/* 3. Accessible names. Slider handles have role=slider but no label, and what they say of their value is a bare index:
      take the label standing beside them, and the text of the read-out. A chooser's read-out looks like a field to type
      in, but what is typed there goes nowhere: make it what it is, the handle's value shown once more. */
const CONTROLS = ".noUi-handle, select, input, .widget-readout";

function nameControls(widget) {
  const label = widget.querySelector(".widget-label")?.textContent.trim().replace(/:$/, "");
  if (!label) return;
  const readout = widget.querySelector(".widget-readout");
  if (readout && widget.closest(".linstudy-chooser")) {
    readout.contentEditable = "false";
    readout.setAttribute("aria-hidden", "true");
  }
  for (const control of widget.querySelectorAll(CONTROLS)) {
    if (control.ariaHidden === "true") continue;
    if (control.getAttribute("aria-label") !== label) control.setAttribute("aria-label", label);
    if (control === readout) control.setAttribute("role", control.isContentEditable ? "textbox" : "status");
  }
  const handle = widget.querySelector(".noUi-handle");
  const value = readout?.textContent.trim();
  if (handle && value && handle.getAttribute("aria-valuetext") !== value) handle.setAttribute("aria-valuetext", value);
}

/* 4. Where a widget did not appear (a script blocked, a file missing), say so instead of leaving a hole, until it does. */
const isThere = (place) => place.querySelector(".widget-subarea")?.childElementCount > 0;

function noteMissing() {
  for (const view of document.querySelectorAll('script[type="application/vnd.jupyter.widget-view+json"]')) {
    if (isThere(view.parentElement)) continue;
    const note = document.createElement("p");
    note.className = "no-widget";
    note.textContent = "A figure with controls should stand here, but its script did not load.";
    view.before(note);
  }
}

function nameAll() {
  document.querySelectorAll(".widget-inline-hbox").forEach(nameControls);
  for (const note of document.querySelectorAll(".no-widget")) if (isThere(note.parentElement)) note.remove();
}

window.addEventListener("load", () => {
  const article = document.querySelector("article") || document.body;
  if (!document.querySelector('script[type="application/vnd.jupyter.widget-view+json"]')) return;
  /* Widgets come late, and a chooser draws again when it is used: watch for as long as the page is open, but only what
     can hold a control or its read-out. nameControls writes nothing that is already right, so this settles. */
  new MutationObserver(nameAll).observe(article, {
    subtree: true,
    childList: true,
    characterData: true,
    attributeFilter: ["aria-valuenow", "aria-valuetext"],
  });
  nameAll();
  setTimeout(noteMissing, 5000);
});
