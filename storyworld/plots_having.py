"""Play the plots about having: a thing is lost, wanted, traded, taken by a trick."""

from . import lexicon
from .beats import Outcome, Telling
from .world import Character, Place, Thing, Wish


def lost(scene: Telling, hero: Character, friend: Character, first: Place, second: Place, *_: Place) -> Outcome:
    """Lose a dear thing, look for it, and find it, or get another one."""
    thing = scene.thing(*lexicon.PRECIOUS, owner=hero)
    wish = Wish(hero.name, "hold", thing=thing.name)
    scene.begin()
    scene.do("own", hero, thing=thing)
    scene.set_out(first)
    scene.maybe(0.6, "play", hero, thing=thing)
    spot = scene.pick(first.spots)
    scene.do("lose" if scene.chance(0.6) else "lose_unseen", hero, thing=thing, spot=spot)
    scene.travel(hero, second)
    scene.do("notice_gone", hero, thing=thing, feel=scene.pick(("sad", "worried")))
    if scene.chance(0.35):
        helper = scene.find_elder()
        scene.do("tell_loss", hero, helper, thing)
        scene.tale(helper, hero, "told.lost", chance=0.6)
    else:
        helper = friend
        scene.meet(hero, helper)
        scene.maybe(0.5, "askwhy", helper, hero)
        scene.do("tell_loss", hero, helper, thing)
        if scene.chance(0.5):
            scene.do("comfort", helper, hero)
            scene.mood(hero)
    scene.paragraph()
    scene.search(hero, thing, 1 + scene.chance(0.5))
    if scene.world.feelings[hero.name] != "hopeful":
        scene.mood(hero)
    scene.detour(hero, thing)
    clue = scene.random()
    if clue < 0.4:
        scene.do("hint", helper, hero, thing, x=f"{spot} {first.at}")
    elif clue < 0.7:
        scene.do("remember", hero, thing=thing, place=first, spot=spot)
    scene.travel(hero, first, helper)
    if clue > 0.7:
        scene.search(hero, thing)
    luck = scene.random()
    if luck >= 0.85 and clue > 0.7:
        scene.do("not_found", hero, thing=thing)
        scene.paragraph()
        new = scene.thing("toy", "treasure", "clothes")
        scene.do("make_new", helper, hero, new)
        scene.do("hand", helper, hero, new)
        scene.do("thank", hero, helper, feel="grateful")
        return scene.finish(helper, wish, "lost", "changed", calm=True)
    if luck < 0.55:
        scene.do("find", hero, thing=thing, spot=spot)
    else:
        scene.do("found_by", helper, hero, thing, spot=spot)
        scene.do("handback", helper, hero, thing)
    scene.do("joy_found", hero, helper, thing)
    scene.maybe(0.6, "thank", hero, helper)
    return scene.finish(helper, wish, "lost")


def wanted(scene: Telling, hero: Character, friend: Character, first: Place, *_: Place) -> Outcome:
    """Want what the friend has: wait for it, take it and own up, or make one."""
    thing = scene.thing("toy", "treasure", "clothes", "tool", owner=friend)
    wish, obstacle = Wish(hero.name, "hold", friend.name, thing.name), "held by another"
    scene.begin(first)
    scene.meet(hero, friend)
    scene.do("show_off", friend, hero, thing)
    scene.felt("want", hero, thing=thing, feel="jealous")
    scene.paragraph()
    if scene.chance(0.7):
        scene.do("ask_have", hero, friend, thing)
        scene.do("refuse", friend, hero, thing, x=scene.pick(lexicon.REFUSALS))
    roll = scene.random()
    if roll < 0.4:
        scene.do("wait", hero, friend, thing, spot=scene.spot(hero))
        scene.tale(friend, hero, "told.patient", chance=0.3)
        scene.do("soften", friend, hero)
        scene.do("lend", friend, hero, thing)
        scene.do("thank", hero, friend)
        return scene.finish(friend, wish, obstacle)
    if roll < 0.75:
        scene.do("grab", hero, friend, thing)
        scene.do("cry_gone", friend, hero, thing)
        scene.do("mood.sorry", hero, feel="sorry")
        scene.paragraph()
        scene.do("own_up", hero, friend, thing)
        scene.do("handback", hero, friend, thing)
        scene.maybe(0.5, "sorry", hero, friend)
        scene.do("forgive_truth", friend, hero)
        if scene.chance(0.5):
            scene.do("lend", friend, hero, thing)
            return scene.finish(friend, wish, obstacle)
        scene.do("laugh", hero, friend, feel="calm")
        return scene.finish(friend, wish, obstacle, "let go", calm=True)
    own = scene.add(Thing(scene.pick([c for c in lexicon.COLORS if c != thing.look]), thing.noun, thing.plural))
    scene.do("make_own", hero, friend, own)
    scene.do("two_now", hero, friend, own)
    return scene.finish(friend, wish, obstacle, "changed")


def trade(scene: Telling, hero: Character, friend: Character, first: Place, *_: Place) -> Outcome:
    """Trade one thing for another, and perhaps trade back."""
    mine = scene.thing("toy", "treasure", "clothes", "nature", "tool", owner=hero)
    yours = scene.thing("toy", "treasure", "clothes", owner=friend)
    wish, obstacle = Wish(hero.name, "hold", friend.name, yours.name), "held by another"
    scene.begin()
    scene.do("has", hero, thing=mine)
    scene.set_out(first)
    scene.meet(hero, friend)
    scene.do("has", friend, thing=yours)
    scene.do("want", hero, thing=yours, feel="excited")
    scene.paragraph()
    scene.do("offer", hero, friend, yours, swap=mine)
    scene.do("haggle", friend, hero, yours, swap=mine, x=scene.pick(lexicon.REFUSALS))
    scene.maybe(0.6, "sweeten", hero, friend, yours)
    scene.do("trade", hero, friend, yours, swap=mine)
    if scene.chance(0.35):
        scene.paragraph()
        scene.do("regret", hero, thing=yours)
        scene.detour(hero)
        scene.do("trade_back", hero, friend, mine, swap=yours)
        return scene.finish(friend, wish, obstacle, "let go", calm=True)
    scene.mood(hero)
    return scene.finish(friend, wish, obstacle)


def tricked(scene: Telling, hero: Character, friend: Character, first: Place, second: Place, *_: Place) -> Outcome:
    """Lose a thing to somebody sly and win it back with a box."""
    sly = scene.somebody("sly", first, scene.pick(lexicon.SLY))
    thing = scene.thing(*lexicon.PRECIOUS, owner=hero)
    spot = scene.pick(second.spots)
    scene.begin()
    scene.do("own", hero, thing=thing)
    scene.set_out(first)
    scene.do("sly_comes", hero, sly, thing)
    scene.do("trick", sly, hero, thing)
    scene.maybe(0.6, "boast", sly, thing=thing)
    scene.mood(hero)
    scene.travel(hero, second)
    if scene.chance(0.6):
        scene.meet(hero, friend)
        scene.maybe(0.5, "askwhy", friend, hero)
        scene.do("advice", friend, hero, x=lexicon.SAYINGS[1])
    else:
        scene.detour(hero, thing)
    bait = scene.thing("nature", at=(second, spot))
    scene.do("findnew", hero, thing=bait, spot=spot)
    scene.do("pack_box", hero, swap=bait)
    scene.travel(hero, first)
    scene.do("bait", hero, sly, thing, swap=bait)
    scene.do("swap_box", sly, hero, thing, swap=bait)
    scene.do("open_box", sly, thing=thing, swap=bait)
    scene.do("tricked", sly, thing=thing)
    scene.do("end.alone", hero, thing=thing)
    return Wish(hero.name, "hold", sly.name, thing.name), "stolen by a trick", "granted"
