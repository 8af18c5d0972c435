"""Play the plots about giving: a thing is mended, shared, made for a friend, kept as a surprise."""

from . import lexicon
from .beats import begin, detour, finish, go, mood, nap, search, set_out, told_story
from .rows import tables
from .scene import Scene
from .voice import article, listed
from .world import Thing, Wish

Outcome = tuple[Wish, str, str]


def broken(scene: Scene) -> Outcome:
    """Break something, own up, and mend it with the right tool, or make something else of it."""
    hero, friend, elder, (first, second, *_) = scene.hero, scene.friend, scene.elder, scene.places
    scene.move(friend, scene.home)
    scene.move(elder, second)
    noun, how, tool_noun, mending = scene.pick(tables().breakable)
    whose = scene.pick((hero, friend))
    thing = scene.add(Thing(scene.pick(lexicon.COLORS), noun), owner=hero)
    begin(scene, friend=True)
    scene.do("own" if whose is hero else "borrowed", hero, friend, thing)
    set_out(scene, first, friend=True)
    scene.do("broke", hero, thing=thing, x=how, feel="worried")
    mood(scene, hero)
    if whose is friend:
        scene.do("confess_break", hero, friend, thing, other_feel="sad")
        scene.do("sorry", hero, friend, feel="sorry")
        scene.do("forgive_truth", friend, hero, feel="calm")
    else:
        scene.do("comfort", friend, hero, other_feel="hopeful")
    wish = Wish(hero.name, "whole", thing=thing.name)
    scene.paragraph()
    go(scene, hero, second, friend)
    scene.do("elder", hero, elder, spot=scene.pick(second.spots))
    if scene.chance(0.25):
        scene.do("cannot_fix", elder, thing=thing)
        scene.do("keep_broken", hero, friend, thing, feel="calm", other_feel="calm")
        finish(scene, friend, calm=True)
        return wish, "broken", "changed"
    third = scene.places[2]
    spot = scene.pick(third.spots)
    tool = scene.add(Thing(scene.pick(("old", "little", "small", "trusty")), tool_noun), at=(third, spot))
    scene.do("plan_fix", elder, hero, tool, other_feel="hopeful")
    if scene.chance(0.3):
        told_story(scene, elder, hero, "told.patient")
    scene.paragraph()
    go(scene, hero, third, friend if scene.chance(0.6) else None)
    if scene.chance(0.6):
        search(scene, hero, tool, 1)
    scene.do("findnew", hero, thing=tool, spot=spot)
    scene.do("fix", hero, thing=thing, swap=tool, x=mending)
    scene.do("works", hero, thing=thing, feel="proud")
    if scene.world.at[friend.name] != third.name:
        go(scene, hero, second)
    finish(scene, friend)
    return wish, "broken", "granted"


def shared(scene: Scene) -> Outcome:
    """Share food with somebody hungry, or do not, and meet again when it is the other way around."""
    hero, friend, (first, *_) = scene.hero, scene.friend, scene.places
    scene.move(friend, first)
    food = scene.thing(*lexicon.FOOD, owner=hero)
    begin(scene)
    scene.do("has_food", hero, thing=food)
    set_out(scene, first)
    scene.do("meet", hero, friend, spot=scene.pick(first.spots))
    scene.world.feelings[friend.name] = "hungry"
    scene.do("begging", hero, friend, other_feel="hungry")
    wish = Wish(friend.name, "fed", hero.name, food.name)
    if scene.chance(0.7):
        scene.do("hesitate", hero, friend, food)
    greedy = scene.chance(0.3)
    if greedy:
        scene.do("eat_alone", hero, thing=food)
        scene.do("mood.sad", friend, feel="sad")
    else:
        scene.do("share", hero, friend, food, feel="happy", other_feel="happy")
        scene.do("thank", friend, hero, feel="grateful")
        if scene.chance(0.4):
            told_story(scene, friend, hero, "told.greedy")
    if greedy or scene.chance(0.6):
        scene.paragraph()
        back = scene.thing(*lexicon.FOOD)
        scene.do("turn_table", hero, friend, back, feel="hungry")
        scene.do("share_anyway" if greedy else "share_back", friend, hero, back, other_feel="grateful")
        if greedy:
            scene.do("sorry", hero, friend, feel="sorry")
            scene.do("forgive", friend, hero, feel="happy", other_feel="grateful")
    finish(scene, friend)
    return wish, "too little for two", "changed" if greedy else "granted"


def made(scene: Scene) -> Outcome:
    """Gather what it takes to make a present, with one part hard to come by."""
    hero, friend, elder, places = scene.hero, scene.friend, scene.elder, scene.places
    scene.move(friend, scene.home)
    what, parts = scene.pick(tables().projects)
    names = parts.split(", ")
    begin(scene, friend=True)
    gift = Thing("", what.split(" ", 1)[1])
    things = [Thing("", name) if " of " in name else Thing(*name.split(" ", 1)) for name in names]
    order = scene.sample(things, 3)
    scene.do("project", hero, friend, x=what, feel="excited")
    scene.do("needs", hero, x=listed([article(thing.name) for thing in things]))
    spots = [scene.pick(place.spots) for place in places]
    for part, place, spot in zip(order[:2], places, spots, strict=False):
        scene.add(part, at=(place, spot))
    set_out(scene, places[0])
    scene.do("findnew", hero, thing=order[0], spot=spots[0])
    detour(scene, hero)
    go(scene, hero, places[1])
    if scene.chance(0.5):
        search(scene, hero, order[1], 1)
    scene.do("findnew", hero, thing=order[1], spot=spots[1])
    scene.paragraph()
    scene.move(elder, places[2])
    scene.add(order[2], owner=elder)
    go(scene, hero, places[2])
    scene.do("missing", hero, thing=order[2], feel="disappointed")
    scene.do("elder", hero, elder, spot=scene.pick(places[2].spots))
    if scene.chance(0.4):
        told_story(scene, elder, hero, "told.patient")
    scene.do("brings", elder, hero, order[2], other_feel="grateful")
    scene.do("thank", hero, elder)
    scene.paragraph()
    go(scene, hero, scene.home)
    scene.add(gift)
    scene.do("build", hero, thing=gift, x=what, feel="proud")
    scene.do("give_made", hero, friend, gift)
    scene.do("delight", friend, hero, gift, feel="happy", other_feel="happy")
    finish(scene, friend)
    return Wish(hero.name, "give", friend.name, gift.name), "a part was missing", "granted"


def gift(scene: Scene) -> Outcome:
    """Keep a birthday present secret until the day."""
    hero, friend, home, (first, *_) = scene.hero, scene.friend, scene.home, scene.places
    scene.move(friend, first)
    thing = scene.thing("toy", "treasure", "clothes", "pairs", owner=hero)
    begin(scene, friend=True)
    scene.do("birthday", hero, friend, thing, feel="excited")
    spot = scene.pick(home.spots)
    scene.do("stow", hero, friend, thing, spot=spot)
    set_out(scene, first)
    scene.do("greet", hero, friend, spot=scene.pick(first.spots))
    if scene.chance(0.4):
        told_story(scene, friend, hero, scene.pick(("told.lost", "told.greedy")))
    if scene.chance(0.7):
        scene.paragraph()
        scene.do("together", hero, friend, place=home)
        scene.do("nearly", hero, friend, thing, spot=spot, feel="worried")
        scene.do("distract", hero, friend, feel="calm")
    else:
        nap(scene, hero, thing)
        scene.do("together", hero, friend, place=home)
    scene.paragraph()
    scene.do("fetch", hero, thing=thing, spot=spot)
    scene.do("hand", hero, friend, thing, feel="happy", other_feel="surprised")
    scene.do("thank", friend, hero, feel="happy")
    finish(scene, friend)
    return Wish(hero.name, "give", friend.name, thing.name), "a secret", "granted"
