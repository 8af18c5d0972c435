"""Keep what the telling of a story is about now and was about before, and choose by it between a name and a pronoun."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from . import lexicon
from .chance import Chance
from .world import Character, Place, Thing


class Occasion(NamedTuple):
    """What an event that is told is about."""

    who: Character
    other: Character | None = None
    thing: Thing | None = None
    swap: Thing | None = None
    place: Place | None = None
    spot: str = ""
    x: str = ""
    y: str = ""


@dataclass(slots=True)
class Voice:
    """The telling of one story: what the next sentence is about, and who was spoken of last."""

    chance: Chance
    home: str = ""  # how the hero's home is described
    season: str = ""
    feelings: dict[str, str] = field(default_factory=dict)
    # the event that is told
    now: Occasion | None = None
    spoken: bool = False  # its subject was named
    clash: bool = False  # a pronoun could mean either of the two
    # what came before
    focus: Character | None = None  # a pronoun may stand for this one
    heard: Character | None = None  # the other one in the last sentences
    runs: int = 0  # pronouns in a row
    met: bool = False  # the hero's look was told
    last: dict[str, int] = field(default_factory=dict)
    used: set[tuple[str, int]] = field(default_factory=set)

    def begin(self, now: Occasion) -> None:
        """Turn to another event."""
        self.now, self.spoken = now, False
        self.clash = now.other is not None and now.other.pronoun == now.who.pronoun

    def word(self, words: str) -> str:
        """Return one of a class of words, not the same one twice in a row."""
        options = lexicon.CLASSES[words]
        index = int(self.chance.random() * len(options))
        if self.last.get(words) == index:
            index = (index + 1) % len(options)
        self.last[words] = index
        return options[index]

    def feeling(self, who: Character) -> tuple[str, ...]:
        """Return the words for what somebody feels, the plainest one first."""
        return lexicon.FEELINGS[self.feelings[who.name]]


# -------------------------------------------------------------- which form a slot has: its place among them


def subject(voice: Voice) -> int:
    """Name the one the sentence is about, or use a pronoun or the look where only one can be meant."""
    who, other = voice.now.who, voice.now.other
    if voice.spoken:
        return clear(voice)
    voice.spoken = True
    heard = voice.heard
    sure = voice.focus is who and not voice.clash and (heard is None or heard.pronoun != who.pronoun)
    if sure and voice.runs < 2 and voice.chance.random() < 0.7:
        voice.runs += 1
        return 1
    voice.runs = 0
    known = who.role == "hero" and voice.met and voice.chance.random() < 0.1
    return 2 if known and (other is None or other.kind != who.kind) else 0


def clear(voice: Voice) -> int:
    """Use a pronoun, or the name where the other one could be meant."""
    return 0 if voice.clash else 1


def named(voice: Voice) -> int:
    """Take note that the one the sentence is about is named."""
    voice.spoken, voice.runs = True, 0
    return 0


def introduced(voice: Voice) -> int:
    """Take note that the look of the one the sentence is about is told."""
    voice.met = True
    return 0


def short(probability: float) -> Callable[[Voice], int]:
    """Use the shorter form with this probability."""
    return lambda voice: 1 if voice.chance.random() < probability else 0


CHOICES = {"subject": subject, "clear": clear, "named": named, "introduced": introduced}
