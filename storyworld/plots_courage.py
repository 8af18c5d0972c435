"""Play the plots about courage: help somebody in trouble, face a fear, learn something hard, end a quarrel."""

from . import lexicon
from .beats import begin, detour, find_elder, finish, go, mood, search, set_out, told_story
from .rows import tables
from .scene import Scene
from .world import Thing, Wish

Outcome = tuple[Wish, str, str]


def trouble(scene: Scene) -> Outcome:
    """Free somebody who is stuck, with a tool that must be fetched."""
    hero, friend, (first, second, *_) = scene.hero, scene.friend, scene.places
    scene.move(friend, first)
    stuck, tool_noun = scene.pick(tables().troubles)
    spot = scene.pick(second.spots)
    begin(scene)
    set_out(scene, first)
    scene.world.feelings[friend.name] = "afraid"
    scene.do("trouble", hero, friend, x=stuck, feel="worried")
    scene.do("promise_help", hero, friend, other_feel="hopeful")
    scene.do("pull_fail", hero)
    tool = scene.add(Thing(scene.pick(("old", "little")), tool_noun), at=(second, spot))
    scene.do("need_tool", hero, thing=tool)
    scene.paragraph()
    go(scene, hero, second)
    if scene.chance(0.6):
        search(scene, hero, tool, 1)
    scene.do("findnew", hero, thing=tool, spot=spot)
    go(scene, hero, first)
    scene.do("free", hero, friend, tool, feel="proud", other_feel="happy")
    scene.paragraph()
    scene.do("thank", friend, hero, feel="grateful")
    if scene.chance(0.5):
        present = scene.thing("toy", "treasure", "nature", *lexicon.FOOD, owner=friend)
        scene.do("reward", friend, hero, present, other_feel="surprised")
        scene.do("thank", hero, friend, feel="happy")
    elif scene.chance(0.4):
        told_story(scene, friend, hero, scene.pick(("told.brave", "told.greedy")))
    finish(scene, friend)
    return Wish(hero.name, "free", friend.name), "stuck", "granted"


def afraid(scene: Scene) -> Outcome:
    """Be afraid of something in the dark, hear a story, go back, and see what it is."""
    hero, friend, (first, second, *_) = scene.hero, scene.friend, scene.places
    scene.move(scene.elder, second)
    scene.move(friend, second)
    what, truth = scene.pick(tables().fears)
    begin(scene)
    set_out(scene, first)
    scene.do("fear_of", hero, x=what, feel="afraid")
    scene.do("flee", hero, spot=scene.pick(first.spots))
    mood(scene, hero)
    if scene.chance(0.6):
        helper = find_elder(scene, hero)
    else:
        helper = friend
        scene.paragraph()
        go(scene, hero, second)
        scene.do("meet", hero, helper, spot=scene.pick(second.spots))
    if scene.chance(0.4):
        scene.do("askwhy", helper, hero)
    scene.do("tell_fear", hero, helper, x=what, y=first.at)
    wish = Wish(hero.name, "fearless", helper.name, place=first.name, detail=what)
    if scene.chance(0.6):
        told_story(scene, helper, hero, "told.brave")
    else:
        scene.do("advice", helper, hero, x="what we look at closely grows smaller")
    if scene.chance(0.12):
        scene.do("stay_away", hero, helper, feel="calm", other_feel="calm")
        finish(scene, helper, calm=True)
        return wish, "fear", "let go"
    scene.paragraph()
    go(scene, hero, first, helper)
    scene.do("dare", hero, helper)
    scene.do("unmask", hero, x=truth, feel="surprised")
    if scene.chance(0.6):
        scene.do("laugh", hero, helper, feel="happy", other_feel="happy")
    scene.do("brave", hero, helper, feel="proud")
    finish(scene, helper)
    return wish, "fear", "granted"


def learning(scene: Scene) -> Outcome:
    """Fail, get advice, practice, and learn it, or find something else one can do."""
    hero, friend, (first, second, *_) = scene.hero, scene.friend, scene.places
    scene.move(scene.elder, second)
    scene.move(friend, second)
    skill, did, fails, how = scene.pick(tables().skills)
    begin(scene)
    scene.do("wish_able", hero, x=skill)
    set_out(scene, first)
    scene.do("fail", hero, x=fails, feel="sad")
    mood(scene, hero)
    if scene.chance(0.6):
        helper = find_elder(scene, hero)
    else:
        helper = friend
        scene.paragraph()
        go(scene, hero, second)
        scene.do("meet", hero, helper, spot=scene.pick(second.spots))
    if scene.chance(0.5):
        scene.do("askwhy", helper, hero)
    scene.do("tell_skill", hero, helper, x=skill)
    scene.do("advice", helper, hero, x=how, other_feel="hopeful")
    if scene.chance(0.45):
        told_story(scene, helper, hero, "told.patient")
    scene.paragraph()
    scene.do("practice", hero)
    wish = Wish(hero.name, "able", helper.name, detail=skill)
    if scene.chance(0.2):
        scene.do("not_able", hero, x=skill, feel="calm")
        finish(scene, helper, calm=True)
        return wish, "it is hard", "changed"
    scene.do("able", hero, helper, x=did, feel="proud", other_feel="happy")
    scene.do("thank", hero, helper)
    finish(scene, helper)
    return wish, "it is hard", "granted"


def quarrel(scene: Scene) -> Outcome:
    """Quarrel, be lonely, say sorry, and make up."""
    hero, friend, (first, *_) = scene.hero, scene.friend, scene.places
    scene.move(friend, scene.home)
    plan, _ = scene.pick(tables().plans)
    begin(scene, friend=True)
    set_out(scene, first, friend=True)
    scene.do("quarrel", hero, friend, x=plan, feel="angry", other_feel="angry")
    scene.do("storm_off", hero, place=scene.home)
    mood(scene, hero)
    scene.paragraph()
    scene.do("alone", hero, feel="lonely")
    detour(scene, hero)
    scene.do("miss", hero, friend, feel="sorry")
    scene.paragraph()
    go(scene, hero, first)
    scene.do("greet_again", hero, friend, other_feel="sad")
    scene.do("sorry", hero, friend)
    if scene.chance(0.4):
        scene.do("forgive", friend, hero)
    scene.do("make_up", hero, friend, feel="happy", other_feel="happy")
    finish(scene, friend)
    return Wish(hero.name, "friends", friend.name), "a quarrel", "granted"
