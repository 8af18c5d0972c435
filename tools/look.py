"""Take a picture of every page of the built book, light and dark, on a desk and on a phone.

Usage: python tools/look.py FOLDER [PAGE ...], with pages as they lie below _build/html, such as book/intro.html
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from browser import OVERFLOW, Visit, chromium  # noqa: E402

HTML = ROOT / "_build" / "html"


def main(folder: str, *pages: str) -> int:
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    pages = pages or tuple(
        sorted(p.relative_to(HTML).as_posix() for d in ("book", "notebooks") for p in (HTML / d).rglob("*.html"))
    )
    if not pages:
        print(f"there are no pages in {HTML}: run `make book`", file=sys.stderr)
        return 1
    for scheme in ("light", "dark"):
        for width in (1280, 375):
            options = {"color_scheme": scheme, "reduced_motion": "reduce", "viewport": {"width": width, "height": 900}}
            with chromium(**options) as context:
                for name in pages:
                    visit = Visit(context, HTML / name, settle=800)
                    picture = target / f"{name.removesuffix('.html').replace('/', '-')}-{width}-{scheme}.png"
                    visit.page.screenshot(path=picture, full_page=True, animations="disabled")
                    wide = visit.page.evaluate(OVERFLOW)
                    notes = visit.complaints() + ([f"{wide} px too wide"] if wide > 0 else [])
                    print(picture.name, *notes, sep="\n  ")
                    visit.page.close()
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
