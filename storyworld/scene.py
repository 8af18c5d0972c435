"""Set a story's stage and let events happen on it: each changes the world, is told, and is recorded."""

from collections.abc import Sequence
from dataclasses import replace

from . import lexicon, stock
from .acts import Deed, World
from .chance import Chance
from .grammar import say
from .kinds import kinds
from .voice import Occasion, Voice
from .world import Character, Event, Place, Thing


class Scene(Chance):
    """A region with places, a hero, a friend and an elder, the state of their world, and the story so far."""

    def __init__(self, seed: int, *, room: int = 1000):
        super().__init__(seed)
        self.room = room
        self.plot = ""
        self.voice = Voice(self)
        self.world, self.start = World(), World()
        self.text = ""
        self.gap = ""
        self.events: list[Event] = []
        self.characters: list[Character] = []
        self.things: list[Thing] = []
        region = self.pick(tuple(lexicon.REGION_FOLK))
        folk = lexicon.REGION_FOLK[region]
        self.folk = folk if folk != "both" else self.pick(("people", "animals"))
        self.places = self.sample(stock.regions()[region], 4)
        while all(place.indoors for place in self.places[:2]):
            self.places = self.sample(stock.regions()[region], 4)
        if self.places[0].indoors:  # the first place is under the sky, so that there is weather
            self.places[:2] = self.places[1::-1]
        self.voice.season = self.pick(lexicon.YEAR)
        self.home = self.make_home()
        self.hero = self.somebody("hero", self.home)
        self.friend = self.somebody("friend", self.home if self.chance(0.3) else self.places[0])
        self.elder = self.enter(stock.elder(self.folk, self.pick(lexicon.ELDERS[self.folk])), self.places[0])

    def brief(self) -> bool:
        """Say whether the text is still short enough for something that the plot does not need."""
        return len(self.text) < self.room

    # -------------------------------------------------------------- who there is

    def make_home(self) -> Place:
        """Return the place where the hero lives; how it is described is kept for the opening."""
        near, look = self.pick(self.places).name, self.pick(lexicon.HOME_LOOKS)
        self.animal = self.pick(tuple(lexicon.ANIMALS))
        noun = self.pick(lexicon.HOMES) if self.folk == "people" else lexicon.ANIMALS[self.animal][1]
        self.voice.home = f"{stock.article(f'{look} {noun}')} {self.pick(lexicon.NEAR)} {near}"
        return stock.home(f"the {noun}", lexicon.HOME_SPOTS[self.folk])

    def somebody(self, role: str, place: Place, kind: str = "") -> Character:
        """Return a new character, different in name and kind (or pronoun) from those there are, who is at a place."""
        pronoun = self.pick(("he", "she"))
        if role != "hero" and pronoun == self.hero.pronoun and self.chance(0.75):
            pronoun = "she" if pronoun == "he" else "he"
        names = lexicon.ANIMAL_NAMES
        if self.folk == "people" and not kind:
            kind, names = ("boy", lexicon.BOYS) if pronoun == "he" else ("girl", lexicon.GIRLS)
        kind = kind or (self.animal if role == "hero" else self.another("kind", tuple(lexicon.ANIMALS)))
        name, trait = self.another("name", names), self.another("trait", lexicon.TRAITS)
        known = stock.people()[name]
        hands = stock.hands()[kind]
        return self.enter(replace(known, kind=kind, pronoun=pronoun, trait=trait, hands=hands, role=role), place)

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
        self.world.at[character.name] = self.start.at[character.name] = place.name

    def place_of(self, name: str) -> Place:
        """Return the place where somebody is."""
        where = self.world.at[name]
        return self.home if where == self.home.name else next(p for p in self.places if p.name == where)

    # -------------------------------------------------------------- what there is

    def new(self, groups: str | Sequence[str], owner: Character | None = None) -> Thing:
        """Return a thing of one of the groups and of no noun that was used, held by its owner or not there yet."""
        groups = (groups,) if isinstance(groups, str) else groups
        while True:
            group = self.pick(groups)
            looks, nouns = lexicon.THINGS[group]
            thing = Thing(self.pick(looks), self.pick(nouns), group == "pairs")
            if all(thing.noun != other.noun for other in self.things):
                return self.add(thing, owner)

    def make(self, looks: Sequence[str], noun: str) -> Thing:
        """Return a thing with one of the looks, which is not in the world yet."""
        return Thing(self.pick(looks), noun)

    def twin(self, thing: Thing) -> Thing:
        """Return the same thing in another color, which is not there yet."""
        return self.add(replace(thing, look=self.pick([color for color in lexicon.COLORS if color != thing.look])))

    def add(self, thing: Thing, owner: Character | None = None) -> Thing:
        """Put a thing into the world, held by its owner or not there yet."""
        self.things.append(thing)
        if owner:
            self.world.things[thing.name] = self.start.things[thing.name] = owner.name
        return thing

    def lay(self, thing: Thing, place: Place, spot: str) -> None:
        """Put a thing into a spot, and into the world if it was not."""
        if thing not in self.things:
            self.add(thing)
        self.world.things[thing.name] = self.start.things[thing.name] = (place.name, spot)

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
        place: Place | None = None,
        feel: str = "",
        other_feel: str = "",
        **details: Thing | str,
    ) -> None:
        """Let an event happen: change the world, tell it, record it; `details` are the rest of an Occasion."""
        row, feelings = kinds()[kind], self.voice.feelings
        place = place or (self.place_of(who.name) if row.level == "real" else self.home)
        now = Occasion(who, other, thing, place=place, **details)
        names = [one.name if one else "" for one in (who, other, thing, now.swap)]
        deed = Deed(row.act_with(bool(other)), *names, place.name, now.spot)
        if row.level == "real":
            feelings.setdefault(deed.who, "calm")
            if other:
                feelings.setdefault(deed.other, "calm")
            self.world.apply(deed)
            if feel or row.feel:
                feelings[deed.who] = feel or row.feel
            if other_feel or row.other_feel:
                feelings[deed.other] = other_feel or row.other_feel
        said = say(self.voice, kind, now)
        start = len(self.text) + len(self.gap)
        self.text += self.gap + said
        self.gap = " "
        felt = tuple(feelings.items())
        self.events.append(Event(kind, *deed, now.x, row.level, felt, start, len(self.text)))
