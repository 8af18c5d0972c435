"""Find out who is meant in a sentence, by name or by pronoun, and whether its pronouns agree."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from . import lexicon
from .fillers import ELDERS, KINDS, NAMES
from .voice import FORMS

GENDER = {form: pronoun for pronoun, forms in FORMS.items() for form in forms}
BY_CALL = {name: name for name in NAMES} | {call: name for name, (_, _, call, _) in ELDERS.items()}
WHO = {"who", "name", "He", "he", "him", "his", "himself"}
OTHER = {"other", "o.he", "o.him", "o.his", "o.own"}
ANYBODY = "anybody"  # a pronoun may stand for everybody


@dataclass(frozen=True, slots=True)
class Person:
    """What the text has said of somebody so far; "" is what it has not."""

    name: str
    kind: str = ""
    trait: str = ""
    pronoun: str = ""
    hands: str = ""


@dataclass(slots=True)
class Cast:
    """Everybody heard of, who came first, whom a pronoun may stand for (nobody: ""), and who was spoken to last."""

    people: dict[str, Person] = field(default_factory=dict)
    hero: str = ""
    focus: str = ANYBODY
    heard: str = ""

    def get(self, name: str) -> Person:
        """Return what is known of somebody, from the text or because every story has it so."""
        return self.people.get(name) or stranger(name)

    def order(self) -> list[str]:
        """Return everybody heard of, the likeliest first: spoken of, the hero, spoken to, elders last."""
        first = [name for name in (self.focus, self.hero, self.heard) if name in self.people]
        return sorted(dict.fromkeys([*first, *reversed(self.people)]), key=lambda name: name in ELDERS)


@dataclass(frozen=True, slots=True)
class Pair:
    """Who and whom a sentence is about ("" for none), with what it told of them, and what is wrong with that."""

    who: Person
    other: Person | None
    fault: str
    sure: bool  # the sentence leaves no doubt who


def stranger(name: str) -> Person:
    """Return what a name alone says."""
    if name in ELDERS:
        kind, pronoun, _, hands = ELDERS[name]
        return Person(name, kind, "wise", pronoun, hands)
    if name in lexicon.GIRLS or name in lexicon.BOYS:
        kind, pronoun = ("girl", "she") if name in lexicon.GIRLS else ("boy", "he")
        return Person(name, kind, "", pronoun, "hands")
    return Person(name)


def pairs(cast: Cast, filled: tuple[tuple[str, str], ...], kind: str, *, other_needed: bool) -> Iterator[Pair]:
    """Yield who can be meant, the likeliest first; nothing when names and pronouns do not agree.

    A pronoun as subject stands for the one spoken of last, and never where another one of that pronoun is meant too.
    """
    told = dict(filled)
    slots = [(slot, value) for slot, value in filled if slot in WHO]
    others = [(slot, value.removesuffix("'s")) for slot, value in filled if slot in OTHER]
    names = {value for _, value in slots if value in NAMES} | _called(filled, "mycall")
    other_names = {value for _, value in others if value in NAMES} | _called(filled, "call")
    pronouns, other_pronouns = ({GENDER[value] for _, value in some if value in GENDER} for some in (slots, others))
    if max(map(len, (names, other_names, pronouns, other_pronouns))) > 1 or names & other_names:
        return
    subject = next((value for slot, value in slots if slot in ("who", "name", "He")), "")
    described = subject if subject.startswith("the ") and subject not in NAMES else ""
    if names:
        likely = list(names)
    elif described:
        likely = [cast.hero]
    elif slots and slots[0][0] == "who" and slots[0][1] in GENDER and cast.focus != ANYBODY:
        likely = [cast.focus]
    else:
        likely = cast.order()
    likely = [_introduce(cast.get(name), told.get("a.who", ""), pronouns) for name in likely if name]
    likely = [who for who in likely if who]
    sure = bool(names or described) or (bool(pronouns) and len(likely) == 1)
    for who in likely:
        rest = [name for name in cast.order() if name != who.name]
        for name in other_names or (rest if others else (other_needed and rest) or [""]):
            other = _introduce(cast.get(name), told.get("a.other", ""), other_pronouns) if name else None
            if name and (other is None or (kind == "elder" and name not in ELDERS)):
                continue
            if other and who.pronoun and who.pronoun == other.pronoun and _unclear(slots, others):
                continue
            yield Pair(who, other, _faults(cast, kind, who, other, told, described), sure)


def _called(filled: tuple[tuple[str, str], ...], slot: str) -> set[str]:
    return {BY_CALL[value] for name, value in filled if name == slot}


def _introduce(person: Person, description: str, genders: set[str]) -> Person | None:
    """Add what a sentence says of somebody; None if their name or their pronoun does not allow it."""
    if description:
        _, trait, *_, kind = description.split(" ")
        named = "girl" if person.name in lexicon.GIRLS else "boy" if person.name in lexicon.BOYS else ""
        if person.name in ELDERS or (kind != named if named else kind in ("girl", "boy")):
            return None
        person = replace(person, kind=person.kind or kind, trait=person.trait or trait, hands=KINDS[kind])
    for gender in genders:
        if person.pronoun not in ("", gender):
            return None
        person = replace(person, pronoun=gender)
    return person


def _unclear(slots: list[tuple[str, str]], others: list[tuple[str, str]]) -> bool:
    """Say whether a pronoun stands where the stories give the name, if the two have the same pronoun."""
    return any(value in GENDER for slot, value in slots if slot in ("who", "He")) or any(
        value in GENDER for slot, value in others if slot != "o.own"
    )


def _faults(cast: Cast, kind: str, who: Person, other: Person | None, told: dict[str, str], described: str) -> str:
    """Return what is wrong with the people in a sentence whose pronouns agree, or ""."""
    first = kind == "open"
    if first and cast.hero:
        return f"the story begins again, with {who.name}"
    if not first and who.name not in cast.people:
        return f"nobody has heard of {who.name}"
    if described and described != f"the {who.trait} {who.kind}":
        return f"{who.name} is {who.trait} and a {who.kind}, not {described}"
    new = "a.other" in told or kind == "elder"
    if other and new and kind != "elder" and other.name in cast.people:
        return f"{other.name} is met for the first time twice"
    if other and not new and other.name not in cast.people:
        return f"nobody has heard of {other.name}"
    for person, slots in ((who, ("kind", "hands")), (other, ("o.kind", "o.hands"))):
        for known, slot in zip((person.kind, person.hands) if person else (), slots, strict=False):
            if known and told.get(slot, known) != known:
                return f"{person.name} has no {told[slot]}" if "hands" in slot else f"{person.name} is no {told[slot]}"
    return ""
