"""Play the passages that plots have in common: beginnings, ways, searches, tales within the story, endings."""

from typing import Any

from . import lexicon
from .scene import Scene
from .stock import Project, projects
from .tables import templates
from .world import Character, Place, Thing, Wish


class Telling(Scene):
    """A scene on which plots are played; its methods are what data/scripts.txt can say beside the kinds of event."""

    def wish(self, goal: str, detail: str = "", **roles: Character | Thing | Place) -> None:
        """Note what the story is about."""
        self.wished = Wish(goal=goal, detail=detail, **{role: one.name for role, one in roles.items()})

    def maybe(self, probability: float, kind: str, *who: Character | Thing, **details: Any) -> None:
        """Let an event happen with this probability; its details must be known, not drawn."""
        if self.chance(probability):
            self.do(kind, *who, **details)

    def mood(self, who: Character, unless: str = "") -> None:
        """Show what somebody feels, if there are words for it and it is not over-told."""
        feeling = self.voice.feelings[who.name]
        if feeling != unless and f"mood.{feeling}" in templates("shared.txt") and self.brief():
            self.maybe(0.6, f"mood.{feeling}", who)

    def feels(self, who: Character, feeling: str) -> None:
        """Let somebody feel something before it is told."""
        self.voice.feelings[who.name] = feeling

    def detour(self, who: Character, thing: Thing | None = None) -> None:
        """Now and then let something happen that does not matter to the plot."""
        if not self.brief():
            return
        roll = self.random()
        if roll < 0.12:
            self.fall_asleep(who, thing)
        elif roll < 0.3:
            self.do("sight" if roll < 0.22 else "meal", who)

    # -------------------------------------------------------------- beginnings and ways

    def begin(self, day: Place | None = None, friend: Character | None = None) -> None:
        """Introduce the hero, perhaps a habit, and the friend if the plot needs one from the start; then set out."""
        self.do("open", self.hero)
        self.maybe(0.55, "habit", self.hero)
        if friend:
            self.do("friend", self.hero, friend)
        if day:
            self.set_out(day, friend)

    def set_out(self, place: Place, friend: Character | None = None) -> None:
        """Begin the day on which it happens, alone or with the friend (who then is where the hero is)."""
        self.paragraph()
        self.do("daytogether" if friend else "day", self.hero, friend, place=place)
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

    # -------------------------------------------------------------- people

    def same(self, who: Any) -> Any:
        """Return the same, to give it a second name."""
        return who

    def spot(self, who: Character) -> str:
        """Return a spot of the place where somebody is."""
        return self.pick(self.place_of(who.name).spots)

    def hidden(self, who: Character) -> str:
        """Return the spot where somebody hides."""
        return self.world.hidden[who.name]

    def come_upon(self, who: Character, other: Character, kind: str = "meet") -> None:
        """Meet somebody in a spot of the place where one is."""
        self.do(kind, who, other, spot=self.spot(who))

    def find_elder(self) -> Character:
        """Let the hero go to the elder."""
        self.paragraph()
        if self.world.at[self.hero.name] != self.world.at[self.elder.name]:
            self.go(self.hero, self.place_of(self.elder.name))
        self.come_upon(self.hero, self.elder, "elder")
        return self.elder

    def find_help(self) -> Character:
        """Let the hero go to the elder or to the friend."""
        if self.chance(0.6):
            return self.find_elder()
        self.travel(self.hero, self.place_of(self.friend.name))
        self.come_upon(self.hero, self.friend)
        return self.friend

    # -------------------------------------------------------------- what plots are about

    def search(self, who: Character, thing: Thing, count: int = 1) -> None:
        """Look in vain in spots of the place where one is."""
        full = {where[1] for where in self.world.things.values() if isinstance(where, tuple)}
        full.update(self.world.hidden.values())
        empty = [spot for spot in self.place_of(who.name).spots if spot not in full]
        for spot in self.sample(empty, min(count, len(empty))):
            self.do("look_empty", who, thing=thing, spot=spot)

    def something_to_make(self) -> Project:
        """Return something to make, also as a thing, with the things it takes, also as a list in words."""
        return self.pick(projects())

    def weather(self) -> list[str]:
        """Return how weather that the season allows starts and stops, and what is seen after it."""
        _, *words, _ = self.pick([row for row in lexicon.WEATHER if row[-1] != self.voice.season])
        return words

    # -------------------------------------------------------------- a tale, a dream, the end

    def tale(self, teller: Character, listener: Character, *themes: str) -> None:
        """Let somebody tell a story of one of the themes; what is certain draws no chance."""
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

    def fall_asleep(self, who: Character, thing: Thing | None = None) -> None:
        """Let somebody fall asleep and dream, of the thing if there is one."""
        self.do("nap", who, spot=self.spot(who))
        self.do("dream" if thing else "dreamself", who, thing=thing)
        self.do("wake", who)

    def finish(self, other: Character, kind: str = "end.happy") -> None:
        """End the story in company of another one, with joy or calmly, and perhaps say what it teaches."""
        if self.chance(0.5):
            self.paragraph()
        self.do(kind, self.hero, other)
        if self.chance(0.3):
            morals = lexicon.MORALS[self.plot] if self.chance(0.75) else lexicon.FRIENDLY
            self.do("moral", self.hero, other, x=self.pick(morals))
