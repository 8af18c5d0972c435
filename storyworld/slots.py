"""Relate what stands in the slots of the templates to whom or what it means: to say it, and to read it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

from . import lexicon, stock
from .kinds import kinds
from .stock import article
from .voice import Voice, clear, introduced, named, short, subject
from .world import Character, Thing

PRONOUNS = {"he": ("he", "him", "his", "himself"), "she": ("she", "her", "her", "herself")}


@dataclass(frozen=True, slots=True)
class Form:
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
    """A slot: whom or what it is about, the forms it can have, and the place among them of the one to use now.

    One that is `clear` has a pronoun only where no other one can be meant.
    """

    role: str
    forms: tuple[Form, ...]
    of: Callable[[Voice], Any]
    now: Callable[[Voice], int] | None = None
    clear: bool = False

    def say(self, voice: Voice) -> str:
        """Return the words for what the slot is about now."""
        form = self.forms[self.now(voice)] if self.now else self.forms[0]
        return form.words(self.of(voice))


@cache
def slot_of(name: str) -> Slot:
    """Return a slot by its name, or (in angle brackets) that of a class of words."""
    return choice(name[1:-1]) if name[0] == "<" else SLOTS[name]


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
        case "who" | "other":
            return (
                stock.looks(stock.details(scope)) if scope else [*stock.people().values(), *stock.looks(stock.hands())]
            )
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
        case "plain":
            return {words[0] for words in lexicon.FEELINGS.values()}
        case "feeling":
            return {word for key, words in lexicon.FEELINGS.items() if scope in ("", key) for word in words}
        case "x" | "y":
            return stock.details(scope)
    return lexicon.CLASSES[role]


# -------------------------------------------------------------- the slots


def a_look(who: Character) -> str:
    """Return "a curious little fox", "a shy girl"."""
    return article(f"{who.trait} {'' if who.kind in ('girl', 'boy') else 'little '}{who.kind}")


def a_thing(thing: Thing) -> str:
    """Return "a red kite", "a pair of red mittens"."""
    return f"a pair of {thing.name}" if thing.plural else article(thing.name)


def number(one: str, many: str) -> Form:
    """Return a form that agrees with the number of a thing."""
    return Form("plural", lambda thing: many if thing and thing.plural else one)


def pronoun(case: int) -> Form:
    """Return a form of the pronoun: he, him, his, himself."""
    return Form("pronoun", lambda who: PRONOUNS[who.pronoun][case])


NAME, KIND, HANDS = (Form(key, attrgetter(key)) for key in ("name", "kind", "hands"))
HE, HIM, HIS, HIMSELF = map(pronoun, range(4))
A_LOOK, CALL = Form("look", a_look), Form("name", attrgetter("call"))
THE_NAME, A_THING = Form("name", lambda thing: f"the {thing.name}"), Form("name", a_thing)
MY_NAME, MY_NOUN = Form("name", lambda thing: f"my {thing.name}"), Form("noun", lambda thing: f"my {thing.noun}")
SAME = Form("", str)


def about(role: str, *forms: Form, **how: Any) -> Slot:
    """Return a slot about one who takes part, a thing, a place or a detail."""
    return Slot(role, forms or (SAME,), attrgetter(role), **how)


def feeling(role: str, *, plain: bool) -> Slot:
    """Return a slot for what somebody feels now: any word for it, or the plainest."""
    who = attrgetter(role)

    def words(voice: Voice) -> str:
        several = lexicon.FEELINGS[voice.feelings[who(voice).name]]
        return several[0] if plain else voice.draw(several)

    return Slot("plain" if plain else "feeling", (SAME,), words)


def weather(form: Form) -> Slot:
    """Return a slot for the weather, which the season must allow."""
    return Slot("weather", (form,), lambda voice: voice.draw(lexicon.SEASONS[voice.season]))


def choice(words: str) -> Slot:
    """Return the slot of a class of words, which does not give the same word twice in a row."""

    def other_than_last(voice: Voice) -> str:
        choices = lexicon.CLASSES[words]
        index = int(voice.random() * len(choices))
        if voice.last.get(words) == index:
            index = (index + 1) % len(choices)
        voice.last[words] = index
        return choices[index]

    return Slot(words, (SAME,), other_than_last)


SLOTS = {
    "who": about("who", NAME, HE, Form("look", lambda who: f"the {who.trait} {who.kind}"), now=subject, clear=True),
    "name": about("who", NAME, now=named),
    "a.who": about("who", A_LOOK, now=introduced),
    "he": about("who", HE),
    "He": about("who", NAME, HE, now=clear, clear=True),  # so written where a sentence begins
    "him": about("who", HIM),
    "his": about("who", HIS),
    "himself": about("who", HIMSELF),
    "kind": about("who", KIND),
    "hands": about("who", HANDS),
    "mycall": about("who", CALL),
    "feeling": feeling("who", plain=False),
    "feeling.plain": feeling("who", plain=True),
    "other": about("other", NAME),
    "a.other": about("other", A_LOOK),
    "call": about("other", CALL),
    "o.he": about("other", NAME, HE, now=clear, clear=True),
    "o.him": about("other", NAME, HIM, now=clear, clear=True),
    "o.his": about("other", Form("name", lambda other: f"{other.name}'s"), HIS, now=clear, clear=True),
    "o.own": about("other", HIS),
    "o.kind": about("other", KIND),
    "o.hands": about("other", HANDS),
    "o.hand": about("other", Form("", lambda other: other.hands[:-1])),
    "o.feeling": feeling("other", plain=False),
    "o.feeling.plain": feeling("other", plain=True),
    "thing": about("thing", THE_NAME, Form("noun", lambda thing: f"the {thing.noun}"), now=short(0.35)),
    "a.thing": about("thing", A_THING),
    "my.thing": about("thing", MY_NAME, MY_NOUN, now=short(0.3)),
    "bare": about("thing", NAME),
    "a.noun": about("thing", Form("noun", lambda thing: thing.noun if thing.plural else article(thing.noun))),
    "color": about("thing", Form("color", attrgetter("color"))),
    "it": about("thing", number("it", "them")),
    "it.s": about("thing", number("it", "they")),
    "was": about("thing", number("was", "were")),
    "is": about("thing", number("is", "are")),
    "this": about("thing", number("this", "these")),
    "swap": about("swap", THE_NAME),
    "a.swap": about("swap", A_THING),
    "my.swap": about("swap", MY_NAME, MY_NOUN, now=short(0.3)),
    "this.swap": about("swap", Form("name", lambda thing: f"{'these' if thing.plural else 'this'} {thing.name}")),
    "at": about("place", Form("key", attrgetter("at"))),
    "to": about("place", Form("key", attrgetter("to"))),
    "place": about("place", Form("key", attrgetter("name"))),
    "where": about("place", Form("where", attrgetter("where"))),
    "spot": about("spot"),
    "home": about("home"),
    "season": about("season"),
    "weather": weather(SAME),
    "a.weather": weather(Form("", article)),
    "x": about("x"),
    "y": about("y"),
    "a.x": about("x", Form("", article)),
    "x.s": about("x", Form("", lambda x: f"{x}s")),
}
