// Points to drag: the line that fits them best, what it leaves of each, and the score, drawn anew as they move.
for (const box of document.querySelectorAll('[data-exhibit="least-squares"]')) {
  const svg = box.querySelector("svg");
  const dots = [...svg.querySelectorAll("circle")];
  const rests = [...svg.querySelectorAll(".rest")];
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const place = (dot) => [+dot.getAttribute("cx"), +dot.getAttribute("cy")];
  const set = (element, facts) => Object.entries(facts).forEach(([name, value]) => element.setAttribute(name, value));

  function draw() {
    const points = dots.map(place);
    const x0 = mean(points.map(([x]) => x));
    const y0 = mean(points.map(([, y]) => y));
    const spread = mean(points.map(([x]) => (x - x0) ** 2));
    const slope = spread ? mean(points.map(([x, y]) => (x - x0) * (y - y0))) / spread : 0;
    const fit = (x) => Math.round(10 * (y0 + slope * (x - x0))) / 10;
    const left = mean(points.map(([x, y]) => (y - y0 - slope * (x - x0)) ** 2));
    const all = mean(points.map(([, y]) => (y - y0) ** 2));
    set(svg.querySelector(".fit"), { x1: 20, y1: fit(20), x2: 340, y2: fit(340) });
    points.forEach(([x, y], i) => set(rests[i], { x1: x, y1: y, x2: x, y2: fit(x) }));
    dots.forEach((dot, i) => {
      const [x, y] = points[i];
      const said = `x ${Math.round(x - 180)}, y ${Math.round(120 - y)}, ${Math.round(Math.abs(fit(x) - y))} off the line`;
      set(dot, { "aria-valuenow": Math.round(120 - y), "aria-valuetext": said });
    });
    const share = all ? left / all : 0;
    box.querySelector("output").textContent = all
      ? `The line leaves ${(100 * share).toFixed(0)} % of the variance of y. LS = 1 − ${share.toFixed(2)} = ${(1 - share).toFixed(2)}`
      : "All points have one y: there is no variance to explain, and no score.";
  }

  function move(dot, x, y) {
    set(dot, { cx: Math.round(Math.min(340, Math.max(20, x))), cy: Math.round(Math.min(230, Math.max(10, y))) });
    draw();
  }

  const STEPS = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, -10], ArrowDown: [0, 10] };
  svg.setAttribute("role", "group"); // a drawing no more: its points are in it for the keyboard
  for (const [i, dot] of dots.entries()) {
    set(dot, { tabindex: 0, role: "slider", "aria-label": `Point ${i + 1}`, "aria-valuemin": -110, "aria-valuemax": 110 });
    dot.addEventListener("pointerdown", (event) => {
      dot.setPointerCapture(event.pointerId);
      dot.focus();
      event.preventDefault();
    });
    dot.addEventListener("pointermove", (event) => {
      if (!dot.hasPointerCapture(event.pointerId)) return;
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      move(dot, at.x, at.y);
    });
    dot.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (!step) return;
      event.preventDefault();
      const [x, y] = place(dot);
      move(dot, x + step[0], y + step[1]);
    });
  }
  draw();
  box.classList.add("live");
}
