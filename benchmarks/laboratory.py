"""Time the laboratory in Chromium, opened from disk in the built book; `run.py` writes the rows."""

import os
import statistics
from pathlib import Path

from common import met

HTML = Path(os.environ.get("BOOK_HTML", Path(__file__).resolve().parent.parent / "_build" / "html"))

# Milliseconds from a key to the picture that shows its result, four layers being maps: at the end of the text, where
# only a token is new, and at its beginning, where all are; then tokens told in a second by the whole model.
MEASURED = """async () => {
    const box = document.querySelector(".lab"), field = box.querySelector("textarea"), text = field.value;
    const rest = async () => { do { await new Promise(done => setTimeout(done, 5)); }
        while (!box.querySelector(".lab-panel[aria-busy=false]")); };
    const shown = typed => new Promise(done => {
        const start = performance.now();
        new MutationObserver((_, observer) => {
            observer.disconnect();
            requestAnimationFrame(() => done(performance.now() - start));
        }).observe(box.querySelector("[data-part=tokens]"), {childList: true});
        field.value = typed;
        field.dispatchEvent(new InputEvent("input", {bubbles: true}));
    });
    const times = async change => {
        const found = [];
        for (const letter of "abcdefghij") { found.push(await shown(change(letter))); await rest(); }
        return found;
    };
    field.focus();
    await rest();
    box.querySelector("[data-preset=four-maps]").click();
    await rest();
    const [end, beginning] = [await times(letter => text + letter), await times(letter => letter + text)];
    const lab = linstudyLab, model = await lab.load(box.dataset.model), plan = lab.makePlan(model);
    const run = lab.newRun(model);
    for (const _ of lab.readText(model, plan, run, [0, ...lab.encode(model.tokenizer, text)]));
    const start = performance.now(), told = [...lab.tellStory(model, plan, run, 40)].length;
    return {end, beginning, tokens: run.tokens.length, rate: 1000 * told / (performance.now() - start)};
}"""


def laboratory() -> list[tuple]:
    """Time keystrokes and telling."""
    from browser import Visit, chromium

    with chromium() as context:
        found = Visit(context, HTML / "book" / "lab.html").page.evaluate(MEASURED)
    rows = []
    for where in ("end", "beginning"):
        times = found[where]
        median = statistics.median(times)
        detail = f"{min(times):.0f} to {max(times):.0f} ms over {len(times)} keys; {found['tokens']} tokens, four maps"
        rows.append(
            (f"ms from a key at the {where} to its result", f"{median:.0f}", "<= 300", met(median <= 300), detail)
        )
    rate, detail = found["rate"], "the whole model, from file://"
    return [*rows, ("tokens a second told by the laboratory", f"{rate:.0f}", ">= 20", met(rate >= 20), detail)]
