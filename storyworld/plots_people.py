"""Play the plots about each other and the world: trouble, fear, learning, quarrels, weather, what is hidden or lost."""

from . import lexicon
from .beats import Outcome, Telling
from .world import Character, Place, Thing, Wish


def trouble(scene: Telling, hero: Character, friend: Character, first: Place, second: Place, *_: Place) -> Outcome:
    """Free somebody who is stuck, with a tool that must be fetched."""
    stuck, tool_noun = scene.pick(lexicon.TROUBLES)
    spot = scene.pick(second.spots)
    scene.begin(first)
    scene.world.feelings[friend.name] = "afraid"
    scene.do("trouble", hero, friend, x=stuck)
    scene.do("promise_help", hero, friend)
    scene.do("pull_fail", hero)
    tool = scene.add(Thing(scene.pick(lexicon.TOOL_LOOKS[:2]), tool_noun), at=(second, spot))
    scene.do("need_tool", hero, thing=tool)
    scene.travel(hero, second)
    scene.find(hero, tool, spot, search=0.6)
    scene.go(hero, first)
    scene.do("free", hero, friend, tool)
    scene.paragraph()
    scene.do("thank", friend, hero, feel="grateful")
    if scene.chance(0.5):
        present = scene.thing("toy", "treasure", "nature", *lexicon.FOOD, owner=friend)
        scene.do("reward", friend, hero, present)
        scene.do("thank", hero, friend, feel="happy")
    else:
        scene.tale(friend, hero, "told.brave", "told.greedy", chance=0.4)
    return scene.finish(friend, Wish(hero.name, "free", friend.name), "stuck")


def afraid(scene: Telling, hero: Character, friend: Character, first: Place, second: Place, *_: Place) -> Outcome:
    """Be afraid of something in the dark, hear a story, go back, and see what it is."""
    what, truth = scene.pick(lexicon.FEARS)
    scene.begin(first)
    scene.do("fear_of", hero, x=what)
    scene.felt("flee", hero, spot=scene.pick(first.spots))
    helper = scene.find_help()
    scene.maybe(0.4, "askwhy", helper, hero)
    scene.do("tell_fear", hero, helper, x=what, y=first.at)
    wish = Wish(hero.name, "fearless", helper.name, place=first.name, detail=what)
    if scene.chance(0.6):
        scene.tale(helper, hero, "told.brave")
    else:
        scene.do("advice", helper, hero, x=lexicon.SAYINGS[0])
    if scene.chance(0.12):
        scene.do("stay_away", hero, helper)
        return scene.finish(helper, wish, "fear", "let go", calm=True)
    scene.travel(hero, first, helper)
    scene.do("dare", hero, helper)
    scene.do("unmask", hero, x=truth)
    scene.maybe(0.6, "laugh", hero, helper)
    scene.do("brave", hero, helper)
    return scene.finish(helper, wish, "fear")


def learning(scene: Telling, hero: Character, friend: Character, first: Place, second: Place, *_: Place) -> Outcome:
    """Fail, get advice, practice, and learn it, or find something else one can do."""
    skill, did, fails, how = scene.pick(lexicon.SKILLS)
    scene.begin()
    scene.do("wish_able", hero, x=skill)
    scene.set_out(first)
    scene.felt("fail", hero, x=fails)
    helper = scene.find_help()
    scene.maybe(0.5, "askwhy", helper, hero)
    scene.do("tell_skill", hero, helper, x=skill)
    scene.do("advice", helper, hero, x=how, other_feel="hopeful")
    scene.tale(helper, hero, "told.patient", chance=0.45)
    scene.paragraph()
    scene.do("practice", hero)
    wish = Wish(hero.name, "able", helper.name, detail=skill)
    if scene.chance(0.2):
        scene.do("not_able", hero, x=skill)
        return scene.finish(helper, wish, "it is hard", "changed", calm=True)
    scene.do("able", hero, helper, x=did)
    scene.do("thank", hero, helper)
    return scene.finish(helper, wish, "it is hard")


def quarrel(scene: Telling, hero: Character, friend: Character, first: Place, *_: Place) -> Outcome:
    """Quarrel, be lonely, say sorry, and make up."""
    plan, _did = scene.pick(lexicon.PLANS)
    scene.begin(first, friend=True)
    scene.do("quarrel", hero, friend, x=plan)
    scene.felt("storm_off", hero, place=scene.home)
    scene.paragraph()
    scene.do("alone", hero)
    scene.detour(hero)
    scene.do("miss", hero, friend)
    scene.travel(hero, first)
    scene.do("greet_again", hero, friend)
    scene.do("sorry", hero, friend)
    scene.maybe(0.4, "forgive", friend, hero)
    scene.do("make_up", hero, friend)
    return scene.finish(friend, Wish(hero.name, "friends", friend.name), "a quarrel")


def hidden(scene: Telling, hero: Character, friend: Character, first: Place, second: Place, *_: Place) -> Outcome:
    """Discover a locked way to a hidden place, find the key, and go in."""
    what, way, inside = scene.pick(lexicon.HIDDEN)
    look = scene.pick(lexicon.METALS)
    spot = scene.pick(second.spots)
    key = scene.add(Thing(look, "key"), at=(second, spot))
    scene.begin(first, friend=True)
    scene.do("discover", hero, x=what, y=way)
    scene.do("wonder", hero, friend, x=what)
    scene.felt("locked", hero)
    scene.detour(hero)
    scene.travel(hero, second, friend)
    scene.search(hero, key, 1 + scene.chance(0.4))
    if scene.chance(0.5):
        scene.do("findnew", hero, thing=key, spot=spot)
    else:
        scene.do("found_new_by", friend, hero, key, spot=spot)
        scene.do("hand", friend, hero, key)
    scene.do("mood.excited", hero, feel="excited")
    scene.travel(hero, first, friend)
    scene.do("unlock", hero, friend, key, x=what, y=inside)
    scene.tale(friend, hero, "told.lost", "told.brave", chance=0.4)
    scene.do("stay_secret", hero, friend)
    return scene.finish(friend, Wish(hero.name, "inside", friend.name, key.name, first.name, what), "locked")


def weather(scene: Telling, hero: Character, friend: Character, first: Place, *_: Place) -> Outcome:
    """Plan something outdoors, sit out the weather, and do it, or do something else."""
    plan, done = scene.pick(lexicon.PLANS)
    wrong = {"snowstorm": "summer", "heat": "winter"}  # the other two seasons may surprise
    possible = [row for row in lexicon.WEATHER if wrong.get(row[0]) != scene.voice.season]
    kind, starts, stops, after = scene.pick(possible)
    scene.begin(friend=True)
    scene.felt("plan", hero, friend, x=plan)
    scene.set_out(first, friend=True)
    scene.do("storm", hero, friend, x=starts)
    scene.meet(hero, friend, kind="shelter")
    scene.mood(hero)
    scene.tale(friend, hero, "told.patient", "told.brave", "told.greedy", chance=0.65)
    wish = Wish(hero.name, "together", friend.name, place=first.name, detail=plan)
    scene.paragraph()
    if scene.chance(0.3):
        scene.do("plan_inside", hero, friend, x=plan)
        return scene.finish(friend, wish, kind, "changed")
    scene.do("clear", hero, friend, x=stops, y=after)
    scene.do("do_plan", hero, friend, x=done)
    return scene.finish(friend, wish, kind)


def seek(scene: Telling, hero: Character, friend: Character, first: Place, *_: Place) -> Outcome:
    """Play hide and seek with two who hide in spots where they are later found."""
    third = scene.somebody("friend", first)
    scene.begin(first, friend=True)
    scene.meet(hero, third)
    *spots, empty = scene.sample(first.spots, 3)
    scene.do("game", hero, friend)
    hide = "hide" if scene.chance(0.6) else "hide_unseen"
    hiding = list(zip((friend, third), spots, strict=True))
    for one, spot in hiding:
        scene.do(hide, one, spot=spot)
    scene.paragraph()
    hiding = scene.sample(hiding, 2)
    scene.do("seek_empty", hero, spot=empty)
    if scene.chance(0.4):
        scene.detour(hero)
    for one, spot in hiding:
        scene.maybe(0.6, "giveaway", hero, spot=spot)
        scene.do("seek_find", hero, one, spot=spot)
    scene.do("laugh", hero, friend)
    return scene.finish(friend, Wish(hero.name, "found", one.name), "hidden")


def stray(
    scene: Telling, hero: Character, little: Character, first: Place, second: Place, third: Place, *_: Place
) -> Outcome:
    """Bring a lost child home, past places that are not it."""
    scene.begin(first)
    scene.world.feelings[little.name] = "sad"
    scene.do("stray", hero, little, x=third.where, spot=scene.pick(first.spots))
    scene.do("offer_way", hero, little, x=third.where)
    scene.travel(hero, second, little)
    scene.do("wrong_place", hero, little)
    scene.mood(little)
    if scene.chance(0.5):
        scene.tale(hero, little, "told.lost", "told.brave")
    else:
        scene.detour(hero)
    scene.travel(hero, third, little)
    scene.do("right_place", hero, little)
    scene.do("family", hero, little)
    scene.do("thank", little, hero, feel="grateful")
    return scene.finish(little, Wish(little.name, "home", hero.name, place=third.name), "far from home")
