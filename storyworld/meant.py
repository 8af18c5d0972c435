"""Find out who and what is meant in a sentence, by name or by pronoun, and whether its words agree."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from .memory import ANYBODY, Memory
from .slots import Said
from .stock import hands, people, things
from .world import Character, Thing


@dataclass(frozen=True, slots=True)
class Pair:
    """Who and whom a sentence is about ("" for none), with what it told of them, and what is wrong with that."""

    who: Character
    other: Character | None
    fault: str
    sure: bool  # the sentence leaves no doubt who


@dataclass(frozen=True, slots=True)
class Named:
    """The thing a sentence names (or none), whether it is many ("it" or "them"), and what is wrong with it."""

    thing: Thing | None
    many: bool | None = None
    fault: str = ""


def _told(said: list[Said], *properties: str) -> set[Any]:
    return {one.value for one in said if one.tells in properties}


# -------------------------------------------------------------- people


def pairs(memory: Memory, all_said: tuple[Said, ...], kind: str, *, needed: bool) -> Iterator[Pair]:
    """Yield who can be meant, the likeliest first; nothing when names and pronouns do not agree.

    A pronoun as subject stands for the one spoken of last, and never where another one of that pronoun is meant too.
    """
    who_said, other_said = ([one for one in all_said if one.role == role] for role in ("who", "other"))
    names, others = _told(who_said, "name"), _told(other_said, "name")
    pronouns, other_pronouns = _told(who_said, "pronoun"), _told(other_said, "pronoun")
    if max(map(len, (names, others, pronouns, other_pronouns))) > 1 or names & others:
        return
    told = {one.slot: one.value for one in all_said}
    subject = next((one for one in who_said if one.slot in ("who", "name", "He")), None)
    look = subject.value if subject and subject.tells == "look" else ()
    first = next((one for one in who_said if one.slot == "who" or one.tells in ("name", "pronoun")), None)
    if names:
        likely = list(names)
    elif look:
        likely = [memory.hero]
    elif first and (first.slot, first.tells) == ("who", "pronoun") and memory.focus != ANYBODY:
        likely = [memory.focus]
    else:
        likely = memory.likely()
    persons = [_described(memory.who(name), told.get("a.who"), pronouns) for name in likely if name]
    persons = [person for person in persons if person]
    sure = bool(names or look) or (bool(pronouns) and len(persons) == 1)
    for who in persons:
        rest = [name for name in memory.likely() if name != who.name]
        for name in others or (rest if other_pronouns else (needed and rest) or [""]):
            other = _described(memory.who(name), told.get("a.other"), other_pronouns) if name else None
            if name and (other is None or (kind == "elder" and other.role != "elder")):
                continue
            if other and who.pronoun and who.pronoun == other.pronoun and any(one.unclear for one in all_said):
                continue
            yield Pair(who, other, _fault(memory, kind, who, other, told, look), sure)


def _described(person: Character, look: tuple[str, str] | None, pronouns: set[str]) -> Character | None:
    """Add what a sentence says of somebody; None if their name or their pronoun does not allow it."""
    if look:
        trait, kind = look
        known = people()[person.name].kind
        if person.role == "elder" or (kind != known if known else kind in ("girl", "boy")):
            return None
        person = replace(person, kind=person.kind or kind, trait=person.trait or trait, hands=hands()[kind])
    for pronoun in pronouns:
        if person.pronoun not in ("", pronoun):
            return None
        person = replace(person, pronoun=pronoun)
    return person


def _fault(
    memory: Memory, kind: str, who: Character, other: Character | None, told: dict[str, Any], look: tuple[str, ...]
) -> str:
    """Return what is wrong with the people in a sentence whose pronouns agree, or ""."""
    first = kind == "open"
    if first and memory.hero:
        return f"the story begins again, with {who.name}"
    if not first and who.name not in memory.people:
        return f"nobody has heard of {who.name}"
    if look and look != (who.trait, who.kind):
        return f"{who.name} is {who.trait} and a {who.kind}, not the {' '.join(look)}"
    new = "a.other" in told or kind == "elder"
    if other and new and kind != "elder" and other.name in memory.people:
        return f"{other.name} is met for the first time twice"
    if other and not new and other.name not in memory.people:
        return f"nobody has heard of {other.name}"
    for person, prefix in ((who, ""), (other, "o.")):
        for what, known in (("kind", person.kind), ("hands", person.hands)) if person else ():
            said = told.get(prefix + what, known)
            if known and said != known:
                return f"{person.name} {'has' if what == 'hands' else 'is'} no {said}"
    return ""


# -------------------------------------------------------------- things


def named(memory: Memory, all_said: tuple[Said, ...], role: str) -> Named | None:
    """Find the thing that a sentence names; None if its words do not agree in number, noun or look."""
    said = [one for one in all_said if one.role == role]
    numbers, colors = _told(said, "plural"), [one.value for one in said if one.tells == "color"]
    if len(numbers) > 1:
        return None
    known = list(reversed(memory.things.values()))
    words = [one for one in said if one.tells in ("name", "noun")]
    if not words:
        many = next(iter(numbers), None)
        return Named(None, many) if not many or any(thing.plural for thing in known) else None
    options = [thing for thing in things()[words[0].value] if all(thing in things()[one.value] for one in words)]
    options = [t for t in options if t.plural in (numbers or {t.plural}) and t.color in (colors[-1:] or {t.color})]
    if not options:
        return None
    heard = next((thing for thing in known if thing in options), None)
    like = next((thing for thing in known if thing.noun == options[0].noun), None)
    new = {one.slot for one in words} & ({"a.thing", "a.swap"} if like else {"a.thing", "a.swap", "bare"})
    if heard or new:
        return Named(heard or options[0])
    if like and like.look:
        return Named(like, fault=f"the {like.noun} was {like.look}")
    if like:  # a look for what had none
        return Named(options[0])
    return Named(options[0], fault=f"nobody has heard of the {words[0].value}")
