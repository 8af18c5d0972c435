"""Make labelled examples out of told stories, whose world says what is true."""

from collections.abc import Callable, Iterator
from itertools import count
from random import Random

from storyworld.stories import MASK, Story, splitmix, story_seed, tell

from .choices import cause, ending, preference
from .examples import Example
from .facts import entailment, question
from .senses import sense

# Each takes stories and chance and gives examples without end, its labels equally frequent.
TASKS: dict[str, Callable[[Iterator[Story], Random], Iterator[Example]]] = {
    "question": question,
    "entailment": entailment,
    "cause": cause,
    "sense": sense,
    "ending": ending,
    "preference": preference,
}
SPLITS = ("train", "validation", "test")


def task(name: str, *, split: str = "train", seed: int = 0) -> Iterator[Example]:
    """Yield labelled examples without end, always the same ones.

    Args:
        name: `question` (yes or no: where is somebody, what do they have, what do they feel), `entailment` (true, false
            or neither, as in CB), `cause` (which of two events made somebody feel so, as in COPA), `sense` (has a word
            one sense in two sentences, as in WiC), `ending` (which of two endings is this story's, as in StoryCloze),
            `preference` (the story as told against a spoilt one).
        split: "train", "validation" or "test". Each has stories of its own, and none is in `stories(seed)` of a small
            seed, such as models are trained on.
        seed: other examples of the same split.

    Raises:
        ValueError: for an unknown name or split.

    """
    for what, value, names in (("task", name, tuple(TASKS)), ("split", split, SPLITS)):
        if value not in names:
            raise ValueError(f"There is no {what} {value!r}: take one of {', '.join(map(repr, names))}.")
    stream = split_stream(split, seed)
    told = (tell(story_seed(stream, position)) for position in count())
    return TASKS[name](told, Random(splitmix(stream)))


def split_stream(split: str, seed: int) -> int:
    """Return the seed of the stream of stories of a split: a large one, far from those that people give `stories`."""
    return splitmix(splitmix(SPLITS.index(split)) ^ seed & MASK)
