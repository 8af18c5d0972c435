"""Play the plots about giving: a thing is mended, shared, made for a friend, kept as a surprise."""

from . import lexicon
from .beats import Outcome, Telling
from .stock import article, listed, part, product_of
from .world import Character, Place, Thing, Wish


def broken(
    scene: Telling, hero: Character, friend: Character, first: Place, second: Place, third: Place, *_: Place
) -> Outcome:
    """Break something, own up, and mend it with the right tool, or make something else of it."""
    elder = scene.elder
    noun, how, tool_noun, mending = scene.pick(lexicon.BREAKABLE)
    borrowed = scene.pick((False, True))
    thing = scene.add(Thing(scene.pick(lexicon.COLORS), noun), owner=hero)
    wish = Wish(hero.name, "whole", thing=thing.name)
    scene.begin(friend=True)
    scene.do("borrowed" if borrowed else "own", hero, friend, thing)
    scene.set_out(first, friend=True)
    scene.felt("broke", hero, thing=thing, x=how)
    if borrowed:
        scene.do("confess_break", hero, friend, thing)
        scene.do("sorry", hero, friend, feel="sorry")
        scene.do("forgive_truth", friend, hero)
    else:
        scene.do("comfort", friend, hero)
    scene.travel(hero, second, friend)
    scene.meet(hero, elder, kind="elder")
    if scene.chance(0.25):
        scene.do("cannot_fix", elder, thing=thing)
        scene.do("keep_broken", hero, friend, thing)
        return scene.finish(friend, wish, "broken", "changed", calm=True)
    spot = scene.pick(third.spots)
    tool = scene.add(Thing(scene.pick(lexicon.TOOL_LOOKS), tool_noun), at=(third, spot))
    scene.do("plan_fix", elder, hero, tool)
    scene.tale(elder, hero, "told.patient", chance=0.3)
    together = scene.chance(0.6)
    scene.travel(hero, third, friend if together else None)
    scene.find(hero, tool, spot, search=0.6)
    scene.do("fix", hero, thing=thing, swap=tool, x=mending)
    scene.do("works", hero, thing=thing)
    if not together:
        scene.go(hero, second)
    return scene.finish(friend, wish, "broken")


def shared(scene: Telling, hero: Character, friend: Character, first: Place, *_: Place) -> Outcome:
    """Share food with somebody hungry, or do not, and meet again when it is the other way around."""
    food = scene.thing(*lexicon.FOOD, owner=hero)
    scene.begin()
    scene.do("has_food", hero, thing=food)
    scene.set_out(first)
    scene.meet(hero, friend)
    scene.world.feelings[friend.name] = "hungry"
    scene.do("begging", hero, friend)
    scene.maybe(0.7, "hesitate", hero, friend, food)
    greedy = scene.chance(0.3)
    if greedy:
        scene.do("eat_alone", hero, thing=food)
        scene.do("mood.sad", friend, feel="sad")
    else:
        scene.do("share", hero, friend, food)
        scene.do("thank", friend, hero, feel="grateful")
        scene.tale(friend, hero, "told.greedy", chance=0.4)
    if greedy or scene.chance(0.6):
        scene.paragraph()
        back = scene.thing(*lexicon.FOOD)
        scene.do("turn_table", hero, friend, back)
        scene.do("share_anyway" if greedy else "share_back", friend, hero, back)
    if greedy:
        scene.do("sorry", hero, friend, feel="sorry")
        scene.do("forgive", friend, hero, feel="happy", other_feel="grateful")
    wish = Wish(friend.name, "fed", hero.name, food.name)
    return scene.finish(friend, wish, "too little for two", "changed" if greedy else "granted")


def made(
    scene: Telling, hero: Character, friend: Character, first: Place, second: Place, third: Place, fourth: Place
) -> Outcome:
    """Gather what it takes to make a present, with one part hard to come by."""
    elder = scene.elder
    scene.move(elder, third)
    what, parts = scene.pick(lexicon.PROJECTS)
    things = [part(name) for name in parts.split(", ")]
    gift = product_of(what)
    scene.begin(friend=True)
    here, there, missing = scene.sample(things, 3)
    scene.do("project", hero, friend, x=what)
    scene.do("needs", hero, x=listed([article(thing.name) for thing in things]))
    spots = [scene.pick(place.spots) for place in (first, second, third, fourth)]
    scene.add(here, at=(first, spots[0]))
    scene.add(there, at=(second, spots[1]))
    scene.set_out(first)
    scene.do("findnew", hero, thing=here, spot=spots[0])
    scene.detour(hero)
    scene.go(hero, second)
    scene.find(hero, there, spots[1], search=0.5)
    scene.add(missing, owner=elder)
    scene.travel(hero, third)
    scene.do("missing", hero, thing=missing)
    scene.meet(hero, elder, kind="elder")
    scene.tale(elder, hero, "told.patient", chance=0.4)
    scene.do("brings", elder, hero, missing)
    scene.do("thank", hero, elder)
    scene.travel(hero, scene.home)
    scene.add(gift)
    scene.do("build", hero, thing=gift, x=what)
    scene.do("give_made", hero, friend, gift)
    scene.do("delight", friend, hero, gift)
    return scene.finish(friend, Wish(hero.name, "give", friend.name, gift.name), "a part was missing")


def gift(scene: Telling, hero: Character, friend: Character, first: Place, *_: Place) -> Outcome:
    """Keep a birthday present secret until the day."""
    home = scene.home
    thing = scene.thing("toy", "treasure", "clothes", "pairs", owner=hero)
    scene.begin(friend=True)
    scene.do("birthday", hero, friend, thing)
    spot = scene.pick(home.spots)
    scene.do("stow", hero, friend, thing, spot=spot)
    scene.set_out(first)
    scene.meet(hero, friend, kind="greet")
    scene.tale(friend, hero, "told.lost", "told.greedy", chance=0.4)
    if scene.chance(0.7):
        scene.travel(hero, home, friend)
        scene.do("nearly", hero, friend, thing, spot=spot)
        scene.do("distract", hero, friend)
    else:
        scene.nap(hero, thing)
        scene.go(hero, home, friend)
    scene.paragraph()
    scene.do("fetch", hero, thing=thing, spot=spot)
    scene.do("hand", hero, friend, thing, feel="happy", other_feel="surprised")
    scene.do("thank", friend, hero, feel="happy")
    return scene.finish(friend, Wish(hero.name, "give", friend.name, thing.name), "a secret")
