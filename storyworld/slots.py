"""Relate what stands in the slots of the templates to whom or what it means: to say it, and to read it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

from . import lexicon, stock
from .kinds import kinds
from .tables import toml
from .voice import CHOICES, ELSE, Voice, short


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


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot: the role it is about, the forms it can have, and the place among them of the one to use now.

    One that is `clear` has a pronoun only where no other one can be meant.
    """

    role: str
    forms: tuple[Form, ...]
    of: Callable[[Voice], Any]
    now: Callable[[Voice], int] | None
    clear: bool

    def say(self, voice: Voice) -> str:
        """Return the words for what the slot is about now."""
        form = self.forms[self.now(voice)] if self.now else self.forms[0]
        return form.words(self.of(voice))


@cache
def slot_of(name: str) -> Slot:
    """Return a slot of data/slots.toml, where the columns are explained, or (in angle brackets) a class of words."""
    if name[0] == "<":
        words = name[1:-1]
        return Slot(words, (_form("", "{}"),), lambda voice: voice.word(words), None, False)
    row = toml("slots.toml")[name]
    now = row.get("now")
    choose = short(now) if isinstance(now, float) else CHOICES.get(now)
    forms = tuple(_form(*form) for form in row.get("forms", [("", "{}")]))
    of = ELSE.get(row["of"]) or attrgetter(f"now.{row['of']}")
    return Slot(row["of"], forms, of, choose, now in ("subject", "clear"))


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
        for referent in every(slot.role, scope):
            value = getattr(referent, form.tells) if form.tells else referent
            words = form.words(referent) if value not in ("", ()) else ""
            if words:
                said = Said(name, slot.role, form.tells, value, slot.clear and form.tells == "pronoun")
                found.setdefault(words[0].upper() + words[1:] if capital else words, said)
    found.longest, found.capital = max(map(len, found)), any(words[0].isupper() for words in found)
    return found


def scope(name: str, kind: str) -> str:
    """Return what narrows the words for a slot down in an event of this kind."""
    return getattr(kinds()[kind], slot_of(name).role, "")


@cache
def every(role: str, scope: str) -> Iterable[Any]:
    """Return whatever can have a role in a story."""
    match role:
        case "who" if scope:
            return stock.looks(stock.details(scope))
        case "who" | "other":
            return [*stock.people().values(), *stock.looks(stock.hands())]
        case "thing" | "swap":
            return stock.everything()
        case "place":
            return [*(place for region in stock.regions().values() for place in region), *stock.homes()]
        case "spot":
            return {spot for place in stock.places().values() for spot in place.spots}
        case "home":
            return stock.home_lines()
        case "season":
            return lexicon.SEASONS
        case "weather":
            return {word for words in lexicon.SEASONS.values() for word in words}
        case "plain_feeling" | "plain_other_feeling":
            return {words[0] for words in lexicon.FEELINGS.values()}
        case "feeling" | "other_feeling":
            return {word for key, words in lexicon.FEELINGS.items() if scope in ("", key) for word in words}
        case "x" | "y":
            return stock.details(scope)
    return lexicon.CLASSES[role]
