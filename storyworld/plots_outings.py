"""Play the plots about outings: a hidden place, bad weather, hide and seek, a lost child."""

from . import lexicon
from .beats import begin, detour, finish, go, mood, search, set_out, told_story
from .rows import tables
from .scene import Scene
from .world import Thing, Wish

Outcome = tuple[Wish, str, str]


def hidden(scene: Scene) -> Outcome:
    """Discover a locked way to a hidden place, find the key, and go in."""
    hero, friend, (first, second, *_) = scene.hero, scene.friend, scene.places
    scene.move(friend, scene.home)
    what, way, inside = scene.pick(tables().hidden)
    key = scene.add(Thing(scene.pick(lexicon.METALS), "key"), at=(second, spot := scene.pick(second.spots)))
    begin(scene, friend=True)
    set_out(scene, first, friend=True)
    scene.do("discover", hero, x=what, y=way, feel="curious")
    scene.do("wonder", hero, friend, x=what)
    scene.do("locked", hero)
    mood(scene, hero)
    detour(scene, hero)
    scene.paragraph()
    go(scene, hero, second, friend)
    search(scene, hero, key, 1 + scene.chance(0.4))
    if scene.chance(0.5):
        scene.do("findnew", hero, thing=key, spot=spot)
    else:
        scene.do("found_new_by", friend, hero, key, spot=spot)
        scene.do("hand", friend, hero, key)
    scene.do("mood.excited", hero, feel="excited")
    scene.paragraph()
    go(scene, hero, first, friend)
    scene.do("unlock", hero, friend, key, x=what, y=inside, feel="surprised", other_feel="surprised")
    if scene.chance(0.4):
        told_story(scene, friend, hero, scene.pick(("told.lost", "told.brave")))
    scene.do("stay_secret", hero, friend, feel="happy", other_feel="happy")
    finish(scene, friend)
    return Wish(hero.name, "inside", friend.name, key.name, first.name, what), "locked", "granted"


def weather(scene: Scene) -> Outcome:
    """Plan something outdoors, sit out the weather, and do it, or do something else."""
    hero, friend, (first, *_) = scene.hero, scene.friend, scene.places
    scene.move(friend, scene.home)
    plan, done = scene.pick(tables().plans)
    wrong = {"snowstorm": "summer", "heat": "winter"}  # the other two seasons may surprise
    kind, starts, stops, after = scene.pick(
        [row for row in tables().weather if wrong.get(row[0]) != scene.voice.season]
    )
    begin(scene, friend=True)
    scene.do("plan", hero, friend, x=plan, feel="excited", other_feel="excited")
    mood(scene, hero)
    set_out(scene, first, friend=True)
    scene.do("storm", hero, friend, x=starts, feel="disappointed", other_feel="disappointed")
    scene.do("shelter", hero, friend, spot=scene.pick(first.spots))
    mood(scene, hero)
    if scene.chance(0.65):
        told_story(scene, friend, hero, scene.pick(("told.patient", "told.brave", "told.greedy")))
    wish = Wish(hero.name, "together", friend.name, place=first.name, detail=plan)
    scene.paragraph()
    if scene.chance(0.3):
        scene.do("plan_inside", hero, friend, x=plan, feel="happy", other_feel="happy")
        finish(scene, friend)
        return wish, kind, "changed"
    scene.do("clear", hero, friend, x=stops, y=after, feel="hopeful", other_feel="hopeful")
    scene.do("do_plan", hero, friend, x=done, feel="happy", other_feel="happy")
    finish(scene, friend)
    return wish, kind, "granted"


def seek(scene: Scene) -> Outcome:
    """Play hide and seek with two who hide in spots where they are later found."""
    hero, friend, (first, *_) = scene.hero, scene.friend, scene.places
    scene.move(friend, scene.home)
    third = scene.somebody("friend", first)
    begin(scene, friend=True)
    set_out(scene, first, friend=True)
    scene.do("meet", hero, third, spot=scene.pick(first.spots))
    spots = scene.sample(first.spots, 3)
    scene.do("game", hero, friend, feel="excited", other_feel="excited")
    show = scene.chance(0.6)
    for one, spot in zip((friend, third), spots, strict=False):
        scene.do("hide" if show else "hide_unseen", one, spot=spot)
    scene.paragraph()
    order = scene.sample(((friend, spots[0]), (third, spots[1])), 2)
    scene.do("seek_empty", hero, spot=spots[2])
    if scene.chance(0.4):
        detour(scene, hero)
    for one, spot in order:
        if scene.chance(0.6):
            scene.do("giveaway", hero, spot=spot)
        scene.do("seek_find", hero, one, spot=spot)
    scene.do("laugh", hero, friend, feel="happy", other_feel="happy")
    finish(scene, friend)
    return Wish(hero.name, "found", order[1][0].name), "hidden", "granted"


def stray(scene: Scene) -> Outcome:
    """Bring a lost child home, past places that are not it."""
    hero, (first, second, third, *_) = scene.hero, scene.places
    little = scene.friend
    scene.move(little, first)
    begin(scene)
    set_out(scene, first)
    scene.world.feelings[little.name] = "sad"
    scene.do("stray", hero, little, x=third.where, spot=scene.pick(first.spots), other_feel="sad")
    scene.do("offer_way", hero, little, x=third.where, other_feel="hopeful")
    scene.paragraph()
    go(scene, hero, second, little)
    scene.do("wrong_place", hero, little, other_feel="worried")
    mood(scene, little)
    if scene.chance(0.5):
        told_story(scene, hero, little, scene.pick(("told.lost", "told.brave")))
    else:
        detour(scene, hero)
    scene.paragraph()
    go(scene, hero, third, little)
    scene.do("right_place", hero, little, other_feel="happy")
    scene.do("family", hero, little, feel="happy")
    scene.do("thank", little, hero, feel="grateful")
    finish(scene, little)
    return Wish(little.name, "home", hero.name, place=third.name), "far from home", "granted"
