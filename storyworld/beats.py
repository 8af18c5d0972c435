"""Play the passages that plots have in common: beginnings, ways, searches, tales within the story, endings."""

from typing import Any

from . import lexicon
from .scene import Scene
from .tables import templates
from .world import Character, Place, Thing, Wish

Outcome = tuple[Wish, str, str]  # the wish, what stood in its way, how it ended


class Telling(Scene):
    """A scene on which plots are played."""

    def maybe(self, probability: float, kind: str, *who: Character | Thing, **details: Any) -> None:
        """Let an event happen with this probability; its details must be known, not drawn."""
        if self.chance(probability):
            self.do(kind, *who, **details)

    def felt(self, kind: str, who: Character, *others: Character | Thing, **details: Any) -> None:
        """Let an event happen, and perhaps show what it makes somebody feel."""
        self.do(kind, who, *others, **details)
        self.mood(who)

    def mood(self, who: Character) -> None:
        """Show what somebody feels, if there are words for it and it is not over-told."""
        kind = f"mood.{self.world.feelings[who.name]}"
        if kind in templates("shared.txt") and self.brief():
            self.maybe(0.6, kind, who)

    def detour(self, who: Character, thing: Thing | None = None) -> None:
        """Now and then let something happen that does not matter to the plot."""
        if not self.brief():
            return
        roll = self.random()
        if roll < 0.12:
            self.nap(who, thing)
        elif roll < 0.3:
            self.do("sight" if roll < 0.22 else "meal", who)

    def begin(self, day: Place | None = None, *, friend: bool = False) -> None:
        """Introduce the hero, perhaps a habit, and the friend if the plot needs one from the start; then set out."""
        self.do("open", self.hero)
        self.maybe(0.55, "habit", self.hero)
        if friend:
            self.do("friend", self.hero, self.friend)
        if day:
            self.set_out(day, friend=friend)

    def set_out(self, place: Place, *, friend: bool = False) -> None:
        """Begin the day on which it happens, alone or with the friend (who then is where the hero is)."""
        self.paragraph()
        if friend:
            self.do("daytogether", self.hero, self.friend, place=place)
        else:
            self.do("day", self.hero, place=place)
        self.maybe(0.2, "sight", self.hero)

    def go(self, who: Character, place: Place, other: Character | None = None) -> None:
        """Go somewhere, alone or together, in words that know whether one was there before."""
        known = any(event.place == place.name and event.who == who.name for event in self.events)
        alone = "home" if place is self.home else "back" if known else "arrive"
        self.do("together" if other else alone, who, other, place=place)

    def travel(self, who: Character, place: Place, other: Character | None = None) -> None:
        """Begin a paragraph by going somewhere."""
        self.paragraph()
        self.go(who, place, other)

    def spot(self, who: Character) -> str:
        """Return a spot of the place where somebody is."""
        return self.pick(self.place_of(who.name).spots)

    def meet(self, who: Character, other: Character, *, kind: str = "meet") -> None:
        """Meet somebody in a spot of the place where one is."""
        self.do(kind, who, other, spot=self.spot(who))

    def find_elder(self) -> Character:
        """Let the hero go to the elder."""
        self.paragraph()
        if self.world.at[self.hero.name] != self.world.at[self.elder.name]:
            self.go(self.hero, self.place_of(self.elder.name))
        self.meet(self.hero, self.elder, kind="elder")
        return self.elder

    def find_help(self) -> Character:
        """Let the hero go to the elder or to the friend."""
        if self.chance(0.6):
            return self.find_elder()
        self.travel(self.hero, self.place_of(self.friend.name))
        self.meet(self.hero, self.friend)
        return self.friend

    def search(self, who: Character, thing: Thing, count: int = 1) -> None:
        """Look in vain in spots of the place where one is."""
        full = {where[1] for where in self.world.things.values() if isinstance(where, tuple)} | set(
            self.world.hidden.values()
        )
        empty = [spot for spot in self.place_of(who.name).spots if spot not in full]
        for spot in self.sample(empty, min(count, len(empty))):
            self.do("look_empty", who, thing=thing, spot=spot)

    def find(self, who: Character, thing: Thing, spot: str, *, search: float) -> None:
        """Find a thing, with this probability after a search in vain."""
        if self.chance(search):
            self.search(who, thing)
        self.do("findnew", who, thing=thing, spot=spot)

    def tale(self, teller: Character, listener: Character, *themes: str, chance: float = 1) -> None:
        """Let somebody tell a story of one of the themes; what is certain draws no chance."""
        if chance < 1 and not self.chance(chance):
            return
        theme = self.pick(themes) if len(themes) > 1 else themes[0]
        if not self.brief():
            return
        self.do("tell", teller, listener)
        kind = self.pick(lexicon.TOLD_ANIMALS)
        pronoun, trait = self.pick(("he", "she")), self.pick(lexicon.TRAITS)
        words = lexicon.TOLD_LOSSES if theme == "told.lost" else lexicon.TOLD_GOODS
        animal = Character(f"the {kind}", kind, pronoun, trait, kind, "paws", "told")
        self.do(theme, animal, x=self.pick(words))
        self.do("told.end", listener, teller)

    def nap(self, who: Character, thing: Thing | None = None) -> None:
        """Let somebody fall asleep and dream, of the thing if there is one."""
        self.do("nap", who, spot=self.spot(who))
        self.do("dream" if thing else "dreamself", who, thing=thing)
        self.do("wake", who)

    def finish(
        self, other: Character, wish: Wish, obstacle: str, ending: str = "granted", *, calm: bool = False
    ) -> Outcome:
        """End the story in company of another one, calmly or with joy, and return how it ended."""
        if self.chance(0.5):
            self.paragraph()
        if calm:
            self.do("end.calm", self.hero, other)
        else:
            self.do("end.happy", self.hero, other)
        if self.chance(0.3):
            morals = lexicon.MORALS[self.plot] if self.chance(0.75) else lexicon.FRIENDLY
            self.do("moral", self.hero, other, x=self.pick(morals))
        return wish, obstacle, ending
