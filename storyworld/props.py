"""Keep the things and the details a text has named, and see whether they stay what they were."""

import re
from dataclasses import dataclass, field

from . import lexicon
from .fillers import things
from .kinds import kinds
from .voice import article
from .world import Thing

THING = ("thing", "my.thing", "a.thing", "bare", "a.noun")
SWAP = ("swap", "my.swap", "a.swap", "this.swap")
NEW = {"a.thing", "a.swap"}  # what these name can be another one of its kind
MANY = {"them", "they", "were", "are", "these"}
DETERMINER = re.compile(r"^(?:the|my|a pair of|an?|these|this) ")
# what a season allows in each slot about it
SKIES = {
    "season": lambda season: (season,),
    "weather": lambda season: lexicon.SEASONS[season],
    "a.weather": lambda season: [article(word) for word in lexicon.SEASONS[season]],
}


@dataclass(slots=True)
class Props:
    """The things heard of by name, and for each table of the lexicon the rows the story can be about."""

    known: dict[str, Thing] = field(default_factory=dict)
    rows: dict[str, frozenset[int]] = field(default_factory=dict)
    seasons: frozenset[str] = frozenset(lexicon.SEASONS)
    home_of: str = ""  # the clause about where somebody who is lost belongs

    def copy(self) -> "Props":
        """Return the same, to change on its own."""
        return Props(dict(self.known), dict(self.rows), self.seasons, self.home_of)

    def keep(self, thing: Thing | None) -> None:
        """Note that a thing was spoken of last."""
        if thing:
            self.known.pop(thing.name, None)
            self.known[thing.name] = thing

    def note(self, kind: str, words: dict[str, str], thing: Thing | None, clause: str) -> str:
        """Take in the details of an event at a place of this clause; return what contradicts those before, or ""."""
        for new in _implied(kind, words):
            self.keep(new)
        row = kinds()[kind] if kind else None
        said = [(row.x, words.get("x")), (row.y, words.get("y")), (row.noun, thing and thing.noun)] if row else []
        for source, value in said:
            if value and re.fullmatch(r"[A-Z]+\.\d", source) and (fault := self._narrow(source, value)):
                return fault
        if kind in ("stray", "offer_way") and "x" in words:
            if self.home_of not in ("", words["x"]):
                return f"home was {self.home_of}, not {words['x']}"
            self.home_of = words["x"]
        if kind in ("right_place", "wrong_place") and "" not in (self.home_of, clause):
            right = clause == self.home_of
            if right != (kind == "right_place"):
                return f"home is a place {self.home_of}"
        for slot, allowed in SKIES.items():
            if slot in words:
                self.seasons = frozenset(season for season in self.seasons if words[slot] in allowed(season))
        return "" if self.seasons else "such weather is not of this season"

    def _narrow(self, source: str, value: str) -> str:
        table, column = source.split(".")
        rows = frozenset(i for i, row in enumerate(getattr(lexicon, table)) if row[int(column)] == value)
        left = rows & self.rows.get(table, rows)
        if not left:
            return f"{value!r} does not go with what was told before"
        self.rows[table] = left
        return ""


@dataclass(frozen=True, slots=True)
class Named:
    """The thing a sentence names (or none), whether it is many ("it" or "them"), and what is wrong with it."""

    thing: Thing | None
    many: bool | None = None
    fault: str = ""


def named(filled: tuple[tuple[str, str], ...], props: Props, slots: tuple[str, ...]) -> Named | None:
    """Find the thing that a sentence names in these slots; None if its words do not agree in number, noun or look."""
    words = [(slot, DETERMINER.sub("", value, count=1)) for slot, value in filled if slot in slots]
    numbers = {value in MANY for slot, value in filled if slot in ("it", "it.s", "was", "is", "this")}
    if slots is not THING:
        numbers = set()
    if len(numbers) > 1:
        return None
    known = list(reversed(props.known.values()))
    if not words:
        many = next(iter(numbers), None)
        return Named(None, many) if not many or any(thing.plural for thing in known) else None
    options = things()[words[0][1]]
    for _, word in words[1:]:
        options = [thing for thing in options if thing in things()[word]]
    color = dict(filled).get("color", "")
    options = [t for t in options if t.plural in (numbers or {t.plural}) and color in ("", t.look or "small")]
    if not options:
        return None
    heard = next((thing for thing in known if thing in options), None)
    if heard:
        return Named(heard)
    like = next((thing for thing in known if thing.noun == options[0].noun), None)
    new = {slot for slot, _ in words} & (NEW if like else NEW | {"bare"})
    if new:
        return Named(options[0])
    if like and like.look:
        return Named(like, fault=f"the {like.noun} was {like.look}")
    if like:  # a look for what had none
        return Named(options[0])
    return Named(options[0], fault=f"nobody has heard of the {words[0][1]}")


def _implied(kind: str, words: dict[str, str]) -> tuple[Thing, ...]:
    """Return the things that are heard of without a slot of their own."""
    if kind == "locked":
        return (Thing("", "key"),)
    if kind == "needs":
        return tuple(things()[DETERMINER.sub("", part)][0] for part in re.split(", and |, ", words["x"]))
    return ()
