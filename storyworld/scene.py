"""Set a story's stage and let events happen on it: each changes the world, is told, and is recorded."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from . import lexicon, stock
from .acts import World
from .grammar import say
from .kinds import kinds
from .voice import Voice
from .world import Character, Event, Place, Thing

T = TypeVar("T")
YEAR = ("spring", "spring", "summer", "summer", "summer", "autumn", "autumn", "winter")


class Scene:
    """A region with places, a hero, a friend and an elder, the state of their world, and the story so far."""

    def __init__(self, seed: int, *, room: int = 1000):
        self.room = room
        self.plot = ""
        # only Random.random() is used: its numbers are the same in every version of Python
        self.random = Random(seed).random
        self.voice = Voice(self.random)
        self.world = World(feelings=self.voice.feelings)
        self.text = ""
        self.gap = ""
        self.events: list[Event] = []
        self.characters: list[Character] = []
        self.things: list[Thing] = []
        self.start: dict[str, str] = {}
        region = self.pick(tuple(lexicon.REGION_FOLK))
        folk = lexicon.REGION_FOLK[region]
        self.folk = folk if folk != "both" else self.pick(("people", "animals"))
        self.places = self.sample(stock.regions()[region], 4)
        while all(place.indoors for place in self.places[:2]):
            self.places = self.sample(stock.regions()[region], 4)
        if self.places[0].indoors:  # the first place is under the sky, so that there is weather
            self.places[:2] = self.places[1::-1]
        self.voice.season = self.pick(YEAR)
        self.home = self.make_home()
        self.hero = self.somebody("hero", self.home)
        self.friend = self.somebody("friend", self.home if self.chance(0.3) else self.places[0])
        self.elder = self.somebody("elder", self.places[0])

    # -------------------------------------------------------------- chance

    def chance(self, probability: float) -> bool:
        """Say yes with this probability."""
        return self.random() < probability

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[int(self.random() * len(options))]

    def sample(self, options: Sequence[T], count: int) -> list[T]:
        """Return `count` different options."""
        rest = list(options)
        return [rest.pop(int(self.random() * len(rest))) for _ in range(count)]

    def brief(self) -> bool:
        """Say whether the text is still short enough for something that the plot does not need."""
        return len(self.text) < self.room

    # -------------------------------------------------------------- who and what there is

    def make_home(self) -> Place:
        """Return the place where the hero lives; how it is described is kept for the opening."""
        near, look = self.pick(self.places).name, self.pick(lexicon.HOME_LOOKS)
        self.animal = self.pick(tuple(lexicon.ANIMALS))
        noun = self.pick(lexicon.HOMES) if self.folk == "people" else lexicon.ANIMALS[self.animal][1]
        self.voice.home = f"{stock.article(f'{look} {noun}')} {self.pick(lexicon.NEAR)} {near}"
        return stock.home(f"the {noun}", lexicon.HOME_SPOTS[self.folk])

    def somebody(self, role: str, place: Place, kind: str = "") -> Character:
        """Return a new character, different in name and kind (or pronoun) from those there are, who is at a place."""
        if role == "elder":
            return self.enter(stock.elder(self.folk, self.pick(lexicon.ELDERS[self.folk])), place)
        pronoun = self.pick(("he", "she"))
        if role != "hero" and pronoun == self.hero.pronoun and self.chance(0.75):
            pronoun = "she" if pronoun == "he" else "he"
        names = lexicon.ANIMAL_NAMES
        if self.folk == "people" and not kind:
            kind, names = ("boy", lexicon.BOYS) if pronoun == "he" else ("girl", lexicon.GIRLS)
        kind = kind or (self.animal if role == "hero" else self.another("kind", tuple(lexicon.ANIMALS)))
        name, trait = self.another("name", names), self.another("trait", lexicon.TRAITS)
        return self.enter(Character(name, kind, pronoun, trait, name, stock.hands()[kind], role), place)

    def another(self, what: str, options: Sequence[str]) -> str:
        """Return one of the options for a property that nobody else has it in."""
        taken = {getattr(character, what) for character in self.characters}
        option = self.pick(options)
        while option in taken:
            option = self.pick(options)
        return option

    def enter(self, character: Character, place: Place) -> Character:
        """Put a character into the world."""
        self.characters.append(character)
        self.move(character, place)
        return character

    def move(self, character: Character, place: Place) -> None:
        """Let a character be somewhere when the story begins."""
        self.world.at[character.name] = self.start[character.name] = place.name

    def place_of(self, name: str) -> Place:
        """Return the place where somebody is."""
        where = self.world.at[name]
        return self.home if where == self.home.name else next(p for p in self.places if p.name == where)

    def thing(self, *groups: str, owner: Character | None = None, at: tuple[Place, str] | None = None) -> Thing:
        """Return a new thing of one of the groups, held by its owner, lying in a spot, or not there yet."""
        while True:
            group = self.pick(groups)
            looks, nouns = lexicon.THINGS[group]
            thing = Thing(self.pick(looks), self.pick(nouns), group == "pairs")
            if all(thing.noun != other.noun for other in self.things):
                return self.add(thing, owner=owner, at=at)

    def add(self, thing: Thing, *, owner: Character | None = None, at: tuple[Place, str] | None = None) -> Thing:
        """Put a thing into the world."""
        self.things.append(thing)
        if owner:
            self.world.things[thing.name] = self.start[thing.name] = owner.name
        elif at:
            place, spot = at
            self.world.things[thing.name] = (place.name, spot)
            self.start[thing.name] = f"{place.name} | {spot}"
        return thing

    # -------------------------------------------------------------- what happens

    def paragraph(self) -> None:
        """Begin a new paragraph with the next event."""
        if self.text:
            self.gap = "\n\n"
            self.voice.focus = None

    def do(
        self,
        kind: str,
        who: Character,
        other: Character | None = None,
        thing: Thing | None = None,
        *,
        swap: Thing | None = None,
        place: Place | None = None,
        spot: str = "",
        x: str = "",
        y: str = "",
        feel: str = "",
        other_feel: str = "",
    ) -> None:
        """Let an event happen: change the world, tell it, record it."""
        row, feelings, voice = kinds()[kind], self.world.feelings, self.voice
        names = (who.name, other.name if other else "", thing.name if thing else "", swap.name if swap else "")
        act = row.act_with(bool(other))
        if row.level == "real":
            place = place or self.place_of(who.name)
            for name in filter(None, names[:2]):
                feelings.setdefault(name, "calm")
            self.world.apply(act, *names, place.name, spot)
            if feel or row.feel:
                feelings[who.name] = feel or row.feel
            if other_feel or row.other_feel:
                feelings[other.name] = other_feel or row.other_feel
        place = place or self.home
        voice.who, voice.other, voice.thing, voice.swap = who, other, thing, swap
        voice.place, voice.spot, voice.x, voice.y = place, spot, x, y
        said = say(voice, kind)
        start = len(self.text) + len(self.gap)
        self.text += self.gap + said
        self.gap = " "
        now = tuple(feelings.items())
        self.events.append(Event(kind, act, *names, place.name, spot, x, row.level, now, start, len(self.text)))
