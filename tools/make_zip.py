"""Pack the built book for reading without a network: the folder _build/html as a zip in _build/release/, and sums.

python tools/make_zip.py    # after `make book`; `make zip` does both

SHA256SUMS there has the sum of every file beside it, the PDF's too; `sha256sum --check SHA256SUMS` compares. The same
pages give the same zip.
"""

import hashlib
import sys
import tomllib
import zipfile
from pathlib import Path

import built

from linstudy.files import written_whole

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
RELEASE = ROOT / "_build" / "release"
NAME = "secretly-linear"
EPOCH = (1980, 1, 1, 0, 0, 0)  # a zip knows no earlier date; that of the build would change its sum


def main(arguments: list[str] | None = None) -> int:
    if not built.is_built(HTML, __doc__, arguments):
        return 1
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf8"))["project"]["version"]
    made = packed(HTML, RELEASE / f"{NAME}-{version}.zip")
    with written_whole(RELEASE / "SHA256SUMS") as path:
        path.write_text(sums(RELEASE), encoding="utf8")
    print(made.as_uri())
    return 0


def packed(folder: Path, target: Path) -> Path:
    """Pack a folder's files into a zip, below one folder of the zip's name, and return the zip's path."""
    with written_whole(target) as made, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            info = zipfile.ZipInfo(f"{target.stem}/{path.relative_to(folder).as_posix()}", EPOCH)
            info.external_attr = 0o644 << 16
            archive.writestr(info, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return target


def sums(folder: Path) -> str:
    """Return the SHA-256 of each release file in a folder, as sha256sum writes them."""
    files = sorted(path for path in folder.iterdir() if path.suffix in (".pdf", ".zip"))
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)


if __name__ == "__main__":
    sys.exit(main())
