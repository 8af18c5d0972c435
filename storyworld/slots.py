"""Relate what stands in the slots of the templates to whom or what it means: to say it, and to read it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from . import lexicon, stock
from .kinds import kinds
from .tables import toml
from .voice import CHOICES, Voice, short
from .world import Character


class Form(NamedTuple):
    """One way to put a referent into words, and which property of it these words tell ("": it is all in the words)."""

    tells: str
    words: Callable[[Any], str]


class Said(NamedTuple):
    """What words in a slot mean: the role that is spoken of, the property they tell and its value.

    `unclear` is a pronoun that the stories do not use where it could mean another one.
    """

    slot: str
    role: str
    tells: str
    value: Any
    unclear: bool


class Role(NamedTuple):
    """Whom or what a slot is about: who that is in a telling, and whoever it can be in a text, as far as known."""

    now: Callable[[Voice], Any]
    every: Callable[[str], Iterable[Any]]


ROLES = {
    "who": Role(lambda voice: voice.now.who, lambda scope: stock.looks(stock.details(scope)) if scope else _anybody()),
    "other": Role(lambda voice: voice.now.other, lambda scope: _anybody()),
    "thing": Role(lambda voice: voice.now.thing, lambda scope: stock.everything()),
    "swap": Role(lambda voice: voice.now.swap, lambda scope: stock.everything()),
    "place": Role(lambda voice: voice.now.place, lambda scope: (*stock.away(), *stock.homes())),
    "spot": Role(lambda voice: voice.now.spot, lambda scope: stock.details("spots")),
    "x": Role(lambda voice: voice.now.x, stock.details),
    "y": Role(lambda voice: voice.now.y, stock.details),
    "home": Role(lambda voice: voice.home, lambda scope: stock.home_lines()),
    "season": Role(lambda voice: voice.season, lambda scope: lexicon.SEASONS),
    "weather": Role(
        lambda voice: voice.chance.pick(lexicon.SEASONS[voice.season]), lambda scope: stock.details("SEASONS")
    ),
    "feeling": Role(lambda voice: voice.chance.pick(voice.feeling(voice.now.who)), lambda scope: _feelings(scope)),
    "plain_feeling": Role(lambda voice: voice.feeling(voice.now.who)[0], lambda scope: _feelings("", 1)),
    "other_feeling": Role(lambda voice: voice.chance.pick(voice.feeling(voice.now.other)), lambda scope: _feelings("")),
    "plain_other_feeling": Role(lambda voice: voice.feeling(voice.now.other)[0], lambda scope: _feelings("", 1)),
}


def _anybody() -> list[Character]:
    return [*stock.people().values(), *stock.looks(stock.hands())]


def _feelings(scope: str, most: int | None = None) -> list[str]:
    return [word for key, words in lexicon.FEELINGS.items() if scope in ("", key) for word in words[:most]]


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot: what it is about, the forms it can have, and the place among them of the one to use now.

    One that is `clear` has a pronoun only where no other one can be meant.
    """

    about: str
    role: Role
    forms: tuple[Form, ...]
    choose: Callable[[Voice], int] | None
    clear: bool

    def say(self, voice: Voice) -> str:
        """Return the words for what the slot is about now."""
        form = self.forms[self.choose(voice)] if self.choose else self.forms[0]
        return form.words(self.role.now(voice))


@cache
def slot_of(name: str) -> Slot:
    """Return a slot of data/slots.toml, where the columns are explained, or (in angle brackets) a class of words."""
    if name[0] == "<":
        words = name[1:-1]
        role = Role(lambda voice: voice.word(words), lambda scope: lexicon.CLASSES[words])
        return Slot(words, role, (_form("", "{}"),), None, False)
    row = toml("slots.toml")[name]
    now = row.get("now")
    choose = short(now) if isinstance(now, float) else CHOICES.get(now)
    forms = tuple(_form(*form) for form in row.get("forms", [("", "{}")]))
    return Slot(row["of"], ROLES[row["of"]], forms, choose, now in ("subject", "clear"))


def _form(tells: str, text: str) -> Form:
    """Read a form, of which there can be two: by the number or the pronoun of the referent."""
    patterns = []
    for one in text.split("/"):
        pattern = one.removeprefix("a ").replace("{", "{0.").replace("{0.}", "{0}")
        patterns.append((stock.article if one.startswith("a ") else str, pattern.format))

    def words(referent: Any) -> str:
        first = len(patterns) == 1 or not (getattr(referent, "plural", 0) or getattr(referent, "pronoun", "") == "she")
        before, filled = patterns[0 if first else 1]
        return before(filled(referent))

    return Form(tells, words)


class Options(dict[str, Said]):
    """All words that can stand in a slot, and what they mean: how long they are at most, and whether one is a name."""

    longest = 0
    capital = False


@cache
def options(name: str, capital: bool, scope: str) -> Options:
    """Return the words for a slot, at the beginning of a sentence or within."""
    slot, found = slot_of(name), Options()
    for form in slot.forms:
        for referent in slot.role.every(scope):
            value = getattr(referent, form.tells) if form.tells else referent
            words = form.words(referent) if value not in ("", ()) else ""
            if words:
                said = Said(name, slot.about, form.tells, value, slot.clear and form.tells == "pronoun")
                found.setdefault(stock.capital(words) if capital else words, said)
    found.longest, found.capital = max(map(len, found)), any(words[0].isupper() for words in found)
    return found


def scope(name: str, kind: str) -> str:
    """Return what narrows the words for a slot down in an event of this kind."""
    return getattr(kinds()[kind], slot_of(name).about, "")
