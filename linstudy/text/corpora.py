"""Texts by name, by path or as given: whatever they are, they come out as documents, one string each."""

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from storyworld import stories

from ..lookup import named
from .hub_texts import HUB_CORPORA, hub_documents
from .pydocs import pydocs

SEPARATOR = "<|endoftext|>"  # between documents in a text file, as in the files of TinyStories

# Every corpus that has a name, and the function that starts it: seed -> documents.
CORPORA: dict[str, Callable[[int], Iterator[str]]] = {
    "stories": stories,
    "pydocs": pydocs,
    **{name: partial(hub_documents, name) for name in HUB_CORPORA},
}


def corpus(source: str | os.PathLike | Iterable[str], *, seed: int = 0) -> Iterator[str]:
    """Start reading a text, document by document.

    Args:
        source: a name in `CORPORA`; or the path of a text file in UTF-8, which is one document exactly as it stands
            unless it has `<|endoftext|>` between documents; or an iterable of documents.
        seed: which stories, and the order of the documents of `pydocs`. The other texts have one order.

    Raises ValueError for an unknown name at once, and while reading for a text with nothing in it and for a file that
    is not UTF-8; FileNotFoundError for a path without a file.
    """
    if isinstance(source, str) and source in CORPORA:
        return _not_empty(CORPORA[source](seed), f"the corpus {source!r}")
    if isinstance(source, str | os.PathLike):
        path = _text_file(source)
        return _not_empty(_documents_of_file(path), f"the file {str(path)!r}")
    if isinstance(source, Iterable) and not isinstance(source, bytes | dict):
        return _not_empty(source, "the iterable of texts")
    raise TypeError(
        f"A corpus is a name, a path or an iterable of strings, not {type(source).__name__}: "
        f"give one of {_names()}, a file such as 'texts/mine.txt', or a list of texts."
    )


def _text_file(source: str | os.PathLike) -> Path:
    text = os.fspath(source)
    if "\n" in text or len(text) > 1000:
        raise ValueError("This string is a text, not a name or a path: put it into a list, [text], to read it.")
    path = Path(text).expanduser()
    like_a_path = isinstance(source, os.PathLike) or "/" in text or os.sep in text or text.endswith(".txt")
    if path.is_file():
        return path
    if like_a_path:
        reason = "is a folder" if path.is_dir() else "does not exist"
        raise FileNotFoundError(
            f"The text file {text!r} {reason}: give the path of one text file in UTF-8, or one of {_names()}."
        )
    known = f"the names are {_names()}; a text file of your own is given by its path, such as 'texts/mine.txt'."
    named(CORPORA, text, "corpus", known=known)


def _names() -> str:
    return ", ".join(repr(name) for name in CORPORA)


def _documents_of_file(path: Path) -> Iterator[str]:
    """Read line by line, so that a file with separators never has to fit into memory."""
    lines: list[str] = []
    offset = 0
    separated = False
    with path.open("rb") as file:
        for line in file:
            try:
                lines.append(line.decode("utf-8-sig" if offset == 0 else "utf-8"))
            except UnicodeDecodeError as error:
                raise ValueError(
                    f"The file {str(path)!r} is not UTF-8: byte {offset + error.start} is 0x{line[error.start]:02x}. "
                    "Save it as UTF-8, in an editor or by `iconv -f latin1 -t utf-8`."
                ) from None
            offset += len(line)
            if SEPARATOR in lines[-1]:
                separated = True
                *done, rest = "".join(lines).split(SEPARATOR)
                lines = [rest]
                yield from (document.strip("\r\n") for document in done)
    yield "".join(lines).strip("\r\n") if separated else "".join(lines)


def _not_empty(documents: Iterable[str], source: str) -> Iterator[str]:
    """Pass on the documents that have any text; a source without one is an error, at its end."""
    empty = True
    for index, document in enumerate(documents):
        if not isinstance(document, str):
            raise TypeError(f"Document {index} of {source} is {type(document).__name__}, not a string: give texts.")
        if document.strip():
            empty = False
            yield document
    if empty:
        raise ValueError(f"There is no text in {source}: give one that has some.")
