"""Keep what a text has said of its people, things and details, and refuse what contradicts it; the rest can be true."""

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from . import lexicon
from .acts import SOMEWHERE, UNTOLD, Deed, World
from .kinds import Kind, kinds
from .stock import people, places, projects
from .world import Character, Thing

ANYBODY = "anybody"  # a pronoun may stand for everybody


@dataclass(slots=True)
class Memory:
    """All that is known after a part of a text; a reading makes a new one.

    Everybody heard of, who came first, whom a pronoun may stand for (nobody: ""), and who was spoken to last; the world
    as far as it is known; the things heard of by name, the last one last; for each table of the lexicon the rows the
    story can be about, the seasons it can be, and the clause about where somebody who is lost belongs.
    """

    people: dict[str, Character] = field(default_factory=dict)
    hero: str = ""
    focus: str = ANYBODY
    heard: str = ""
    world: World = field(default_factory=lambda: World(partial=True))
    things: dict[str, Thing] = field(default_factory=dict)
    rows: dict[str, frozenset[int]] = field(default_factory=dict)
    seasons: frozenset[str] = field(default_factory=lambda: frozenset(lexicon.SEASONS))
    home_of: str = ""

    def copy(self) -> "Memory":
        """Return the same, to change on its own."""
        return Memory(
            *(dict(self.people), self.hero, self.focus, self.heard, self.world.copy()),
            *(dict(self.things), dict(self.rows), self.seasons, self.home_of),
        )

    def who(self, name: str) -> Character:
        """Return what is known of somebody, from the text or because every story has it so."""
        return self.people.get(name) or people()[name]

    def likely(self) -> list[str]:
        """Return everybody heard of, the likeliest first: spoken of, the hero, spoken to, elders last."""
        first = [name for name in (self.focus, self.hero, self.heard) if name in self.people]
        everybody = dict.fromkeys([*first, *reversed(self.people)])
        return sorted(everybody, key=lambda name: self.people[name].role == "elder")

    def keep(self, *some: Thing | None) -> None:
        """Note that things were spoken of last."""
        for thing in filter(None, some):
            self.things.pop(thing.name, None)
            self.things[thing.name] = thing

    def lose_track(self, text: str) -> None:
        """Forget the whereabouts of everybody and everything in a sentence that could not be read."""
        self.focus = ANYBODY
        self.world.forget(*(name for name in self.people if name in text))
        self.world.forget(*(name for name, thing in self.things.items() if thing.noun in text))

    # -------------------------------------------------------------- what happens

    def happen(self, kind: str, act: str, names: tuple[str, str, str, str], told: dict[str, Any]) -> str:
        """Let an event happen, as its slots tell it, and return what contradicts it, or "".

        `names` are who, the other one, the thing, the other thing. What contradicts it is forgotten after that: a
        mistake counts once.
        """
        who, _, thing, _ = names
        row = kinds()[kind] if kind else Kind()
        moves = act in ("go", "gotogether")
        place = (moves and told.get("to")) or told.get("at") or told.get("place") or ("home" if moves else "")
        spot = told.get("spot", UNTOLD)
        if act == "put" and not thing:
            act = ""  # the text has not named what was lost
        try:
            if row.says == "lies":
                self._lies(thing, *(_split(told["x"]) if "x" in told else (place, spot)))
                return ""
            if row.says == "at" or (place and not moves):
                self.world.is_at(who, place or "home")
            here = self._place(who)
            if "where" in told:
                self._such(place or here, told["where"])
            if row.has and thing:
                self.world.need(self.world.is_with(thing, who), who, "have", thing)
            if row.says == "lacks":
                self.world.lacks[thing] = who
            if spot and here != SOMEWHERE and spot not in places()[here].spots:
                raise ValueError(f"nothing at {here} is {spot}")
            self.world.apply(Deed(act, *names, place, spot))
        except ValueError as error:
            self.world.insist(Deed(act, *names, place, spot))
            return str(error)
        return ""

    def _place(self, who: str) -> str:
        return self.world.at.get(who, SOMEWHERE)

    def _such(self, place: str, clause: str) -> None:
        if place != SOMEWHERE and places()[place].where != clause:
            raise ValueError(f"{place} is no place {clause}")

    def _lies(self, thing: str, place: str, spot: str) -> None:
        if self.world.things.get(thing) == (SOMEWHERE, spot):
            self.world.things[thing] = (place, spot)
        elif thing and not self.world.is_with(thing, (place, spot)):
            raise ValueError(f"the {thing} does not lie {spot} {places()[place].at}")

    # -------------------------------------------------------------- details

    def note(self, kind: str, who: str, thing: Thing | None, told: dict[str, Any]) -> str:
        """Take in the details of an event and return what contradicts those before, or ""."""
        row = kinds()[kind] if kind else Kind()
        if row.says == "key":
            self.keep(Thing("", "key"))
        elif row.says == "parts":
            self.keep(*next(project.parts for project in projects() if project.needs == told["x"]))
        for source, value in ((row.x, told.get("x")), (row.y, told.get("y")), (row.noun, thing and thing.noun)):
            if value and re.fullmatch(r"[A-Z]+\.\d", source) and not self._narrow(source, value):
                return f"{value!r} does not go with what was told before"
        if row.says == "home" and "x" in told:
            if self.home_of not in ("", told["x"]):
                return f"home was {self.home_of}, not {told['x']}"
            self.home_of = told["x"]
        here = self._place(who)
        if row.says in ("is home", "is not home") and self.home_of and here != SOMEWHERE:
            right = places()[here].where == self.home_of
            if right != (row.says == "is home"):
                return f"home is a place {self.home_of}"
        for slot in ("season", "weather", "a.weather"):
            if slot in told:
                words = {season: (season, *lexicon.SEASONS[season]) for season in self.seasons}
                self.seasons = frozenset(season for season in self.seasons if told[slot] in words[season])
        return "" if self.seasons else "such weather is not of this season"

    def _narrow(self, source: str, value: str) -> frozenset[int]:
        """Return the rows of a table that the story can still be about; if there are none, it stays what it was."""
        table, column = source.split(".")
        rows = frozenset(i for i, row in enumerate(getattr(lexicon, table)) if row[int(column)] == value)
        left = rows & self.rows.get(table, rows)
        if left:
            self.rows[table] = left
        return left


@cache
def _split(where: str) -> tuple[str, str]:
    """Return the place and the spot of "under the bed at home"."""
    place = next(name for name, there in places().items() if where.endswith(f" {there.at}"))
    return place, where.removesuffix(f" {places()[place].at}")
