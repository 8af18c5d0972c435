"""Play the passages that plots have in common: beginnings, detours, searches, stories within the story, endings."""

from . import lexicon
from .scene import Scene
from .tables import templates
from .world import Character, Place, Thing


def begin(scene: Scene, *, friend: bool = False) -> None:
    """Introduce the hero, perhaps a habit, and the friend if the plot needs one from the start."""
    scene.do("open", scene.hero)
    if scene.chance(0.55):
        scene.do("habit", scene.hero)
    if friend:
        scene.do("friend", scene.hero, scene.friend)


def set_out(scene: Scene, place: Place, *, friend: bool = False) -> None:
    """Begin the day on which it happens, alone or with the friend (who then is where the hero is)."""
    scene.paragraph()
    if friend:
        scene.do("daytogether", scene.hero, scene.friend, place=place)
    else:
        scene.do("day", scene.hero, place=place)
    if scene.chance(0.2):
        scene.do("sight", scene.hero)


def go(scene: Scene, who: Character, place: Place, other: Character | None = None) -> None:
    """Go somewhere, alone or together, in words that know whether one was there before."""
    if other:
        scene.do("together", who, other, place=place)
    elif any(event.place == place.name and event.who == who.name for event in scene.events):
        scene.do("home" if place is scene.home else "back", who, place=place)
    else:
        scene.do("home" if place is scene.home else "arrive", who, place=place)


def mood(scene: Scene, who: Character) -> None:
    """Show what somebody feels, if there are words for it and it is not over-told."""
    kind = f"mood.{scene.world.feelings[who.name]}"
    if kind in templates("shared.txt") and scene.brief() and scene.chance(0.6):
        scene.do(kind, who)


def search(scene: Scene, who: Character, thing: Thing, count: int) -> None:
    """Look in vain in spots of the place where one is."""
    place = scene.place_of(who.name)
    full = {spot for _, spot in scene.world.lies.values()} | set(scene.world.hidden.values())
    empty = [spot for spot in place.spots if spot not in full]
    for spot in scene.sample(empty, min(count, len(empty))):
        scene.do("look_empty", who, thing=thing, spot=spot)


def told_story(scene: Scene, teller: Character, listener: Character, theme: str) -> None:
    """Let somebody tell a story within the story."""
    if not scene.brief():
        return
    scene.do("tell", teller, listener)
    kind = scene.pick(lexicon.TOLD_ANIMALS)
    animal = Character(f"the {kind}", kind, scene.pick(("he", "she")), scene.pick(lexicon.TRAITS), kind, "paws", "told")
    words = lexicon.TOLD_LOSSES if theme == "told.lost" else lexicon.TOLD_GOODS
    scene.do(theme, animal, x=scene.pick(words), level="told")
    scene.do("told.end", listener, teller)


def nap(scene: Scene, who: Character, thing: Thing | None = None) -> None:
    """Let somebody fall asleep and dream, of the thing if there is one."""
    scene.do("nap", who, spot=scene.pick(scene.place_of(who.name).spots))
    if thing:
        scene.do("dream", who, thing=thing, level="dreamt")
    else:
        scene.do("dreamself", who, level="dreamt")
    scene.do("wake", who)


def detour(scene: Scene, who: Character, thing: Thing | None = None) -> None:
    """Now and then let something happen that does not matter to the plot."""
    if not scene.brief():
        return
    roll = scene.random()
    if roll < 0.12:
        nap(scene, who, thing)
    elif roll < 0.22:
        scene.do("sight", who)
    elif roll < 0.3:
        scene.do("meal", who)


def find_elder(scene: Scene, who: Character) -> Character:
    """Go to the elder, who is in the second place."""
    elder = scene.elder
    scene.paragraph()
    place = scene.place_of(elder.name)
    if scene.world.at[who.name] != place.name:
        go(scene, who, place)
    scene.do("elder", who, elder, spot=scene.pick(place.spots))
    return elder


def finish(scene: Scene, other: Character, *, calm: bool = False) -> None:
    """End the story in company of another one."""
    if scene.chance(0.5):
        scene.paragraph()
    if calm:
        scene.do("end.calm", scene.hero, other, feel="calm")
    else:
        scene.do("end.happy", scene.hero, other, feel="happy", other_feel="happy")
    if scene.chance(0.3):
        morals = lexicon.MORALS[scene.plot] if scene.chance(0.75) else lexicon.FRIENDLY
        scene.do("moral", scene.hero, other, x=scene.pick(morals))
