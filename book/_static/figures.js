/* Whoever opens the data of a figure is offered its drawing, too: the one that is shown, as a file. */
document.addEventListener(
  "toggle",
  ({ target: box }) => {
    if (!box.open || !box.matches("details.linstudy-data") || box.querySelector(".drawing")) return;
    const drawing = box.parentElement.querySelector("svg[role=img], [aria-hidden] > svg, img");
    if (!drawing) return;
    const name = box.querySelector("a").download.replace(".csv", "");
    const link = document.createElement("a");
    link.className = "drawing";
    if (drawing.tagName === "IMG") {
      Object.assign(link, { href: drawing.src, download: `${name}.png`, textContent: "PNG" });
    } else {
      const text = new XMLSerializer().serializeToString(drawing);
      const href = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
      Object.assign(link, { href, download: `${name}.svg`, textContent: "SVG" });
    }
    const called = box.querySelector("a").getAttribute("aria-label") ?? "";
    link.setAttribute("aria-label", called.replace("CSV", link.textContent));
    box.append("; ", link);
  },
  true,
);
