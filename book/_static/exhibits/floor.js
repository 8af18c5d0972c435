// Sliders for tokens, dimensions and noise; made-up data is fitted by least squares as they move.
for (const box of document.querySelectorAll('[data-exhibit="floor"]')) {
  const read = (name) => +box.querySelector(`[name=${name}]`).value;
  const column = (n, draw) => {
    const values = Float64Array.from({ length: n }, draw);
    const mean = values.reduce((sum, value) => sum + value, 0) / n;
    return values.map((value) => value - mean);
  };
  const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

  function normal(seed) {
    const uniform = () => {
      seed = (seed + 0x6d2b79f5) | 0;
      let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
      return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    };
    return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  }

  // The raw score of d outputs y = x + noise on n tokens, a column at a time: what is left of y once every
  // direction of X is taken out of it.
  function raw(n, d, noise) {
    const draw = normal(1);
    const X = Array.from({ length: d }, () => column(n, draw));
    const Y = X.slice(0, 8).map((x) => column(n, (_, i) => x[i] + noise * draw()));
    const before = Y.reduce((sum, y) => sum + dot(y, y), 0);
    for (const [i, x] of X.entries()) {
      const size = dot(x, x);
      if (size < 1e-9) continue; // nothing new: there are more columns than tokens
      for (const other of [...X.slice(i + 1), ...Y]) {
        const share = dot(x, other) / size;
        for (let k = 0; k < n; k++) other[k] -= share * x[k];
      }
    }
    return 1 - Y.reduce((sum, y) => sum + dot(y, y), 0) / before;
  }

  function draw() {
    const [n, d, noise] = ["tokens", "dimensions", "noise"].map(read);
    const truth = 1 / (1 + noise ** 2);
    const floor = Math.min(1, d / (n - 1));
    const score = raw(n, d, noise);
    const enough = n > d + 1;
    const adjusted = enough ? 1 - ((1 - score) * (n - 1)) / (n - d - 1) : NaN;
    const across = (value) => 20 + 320 * Math.min(1, Math.max(0, value));
    const put = (name, facts) =>
      Object.entries(facts).forEach(([key, value]) => box.querySelector(name).setAttribute(key, value.toFixed(1)));
    put(".floor", { width: across(floor) - 20 });
    put(".truth", { x1: across(truth), x2: across(truth) });
    put(".raw", { cx: across(score) });
    put(".adjusted", { cx: across(adjusted || 0) });
    box.querySelector(".adjusted").style.display = enough ? "" : "none";
    for (const input of box.querySelectorAll("input")) input.nextElementSibling.textContent = input.value;
    const two = (value) => value.toFixed(2);
    const said = enough
      ? `adjusted ${two(adjusted)}`
      : "no adjusted score: with n ≤ d + 1 the fit is perfect whatever the data";
    box.querySelector(".found").textContent =
      `True score ${two(truth)}; floor d/(n − 1) = ${two(floor)}; raw ${two(score)}; ${said}.`;
  }

  box.addEventListener("input", draw);
  box.classList.add("live");
}
