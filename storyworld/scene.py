"""Set a story's stage and play events on it: each event changes the world, is told, and is recorded."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from . import lexicon
from .kinds import kinds
from .realise import say
from .rows import tables
from .voice import Voice, article
from .world import Character, Event, Place, Thing, World

T = TypeVar("T")


class Scene:
    """A region with places, a hero, a friend and an elder, the state of their world, and the story so far."""

    def __init__(self, seed: int, *, room: int = 1000):
        self.room = room
        self.plot = ""
        # only Random.random() is used: its numbers are the same in every version of Python
        self.random = Random(seed).random
        self.voice = Voice(self.random)
        self.world = World()
        self.text: list[str] = []
        self.length = 0
        self.gap = ""
        self.events: list[Event] = []
        self.characters: list[Character] = []
        self.things: list[Thing] = []
        self.start: list[tuple[str, str]] = []
        region = self.pick(tuple(lexicon.REGION_FOLK))
        folk = lexicon.REGION_FOLK[region]
        self.folk = folk if folk != "both" else self.pick(("people", "animals"))
        self.places = self.sample(tables().places[region], 4)
        while all(place.indoors for place in self.places[:2]):
            self.places = self.sample(tables().places[region], 4)
        if self.places[0].indoors:  # the first place is under the sky, so that there is weather
            self.places[:2] = self.places[1::-1]
        self.voice.season = self.pick(("spring", "spring", "summer", "summer", "summer", "autumn", "autumn", "winter"))
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
        return self.length < self.room

    # -------------------------------------------------------------- who and what there is

    def make_home(self) -> Place:
        """Return the place where the hero lives; how it is described is kept for the opening."""
        near = self.pick(self.places).name
        look = self.pick(lexicon.HOME_LOOKS)
        self.animal = self.pick(tuple(lexicon.ANIMALS))
        noun = self.pick(lexicon.HOMES) if self.folk == "people" else lexicon.ANIMALS[self.animal][1]
        self.voice.home = f"{article(f'{look} {noun}')} {self.pick(('near', 'not far from', 'close to'))} {near}"
        return Place(
            f"the {noun}", "at home", "home", "where everything was just right", tables().home_spots[self.folk]
        )

    def somebody(self, role: str, place: Place, kind: str = "") -> Character:
        """Return a new character, different in name and kind (or pronoun) from those there are, who is at a place."""
        if role == "elder":
            name, kind, pronoun, call = self.pick(lexicon.ELDERS[self.folk])
            hands = "hands" if self.folk == "people" else "arms"
            character = Character(name, kind, pronoun, "wise", call, hands, "elder")
            return self.enter(character, place)
        pronoun = self.pick(("he", "she"))
        if role != "hero" and pronoun == self.hero.pronoun and self.chance(0.75):
            pronoun = "she" if pronoun == "he" else "he"
        taken = {c.name for c in self.characters}
        kinds = {c.kind for c in self.characters}
        traits = {c.trait for c in self.characters}
        if self.folk == "people" and not kind:
            kind, hands = ("boy" if pronoun == "he" else "girl"), "hands"
            names = lexicon.BOYS if pronoun == "he" else lexicon.GIRLS
        else:
            names = lexicon.ANIMAL_NAMES
            if not kind:
                kind = self.animal if role == "hero" else self.pick(tuple(lexicon.ANIMALS))
                while kind in kinds:
                    kind = self.pick(tuple(lexicon.ANIMALS))
            hands = lexicon.ANIMALS.get(kind, ("paws",))[0]
        name = self.pick(names)
        while name in taken:
            name = self.pick(names)
        trait = self.pick(lexicon.TRAITS)
        while trait in traits:
            trait = self.pick(lexicon.TRAITS)
        return self.enter(Character(name, kind, pronoun, trait, name, hands, role), place)

    def enter(self, character: Character, place: Place) -> Character:
        """Put a character into the world."""
        self.characters.append(character)
        self.world.at[character.name] = place.name
        self.start.append((character.name, place.name))
        return character

    def move(self, character: Character, place: Place) -> None:
        """Let a character be somewhere else when the story begins."""
        self.world.at[character.name] = place.name
        self.start[self.start.index(next(row for row in self.start if row[0] == character.name))] = (
            character.name,
            place.name,
        )

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
            self.world.holder[thing.name] = owner.name
            self.start.append((thing.name, owner.name))
        elif at:
            self.world.lies[thing.name] = (at[0].name, at[1])
            self.start.append((thing.name, f"{at[0].name} | {at[1]}"))
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
        world, row = self.world, kinds()[kind]
        names = (who.name, other.name if other else "", thing.name if thing else "", swap.name if swap else "")
        act = ""
        if row.level == "real":
            act = row.act_with(bool(other))
            here = place or self.place_of(who.name)
            for name in names[:2] if other else names[:1]:
                world.feelings.setdefault(name, "calm")
            world.apply(act, *names, here.name, spot)
            if feel:
                world.feelings[who.name] = feel
            if other_feel:
                world.feelings[other.name] = other_feel
        else:
            here = place or self.home
        said = say(self.voice, kind, who, other, thing, swap, here, spot, x, y, world.feelings)
        start = self.length + len(self.gap)
        self.text.append(self.gap)
        self.text.append(said)
        self.length = start + len(said)
        self.gap = " "
        feelings = tuple(world.feelings.items())
        self.events.append(Event(kind, act, *names, here.name, spot, x, row.level, feelings, start, self.length))
