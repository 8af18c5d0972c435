"""Play the plots about having: a thing is lost, wanted, traded, taken by a trick."""

from . import lexicon
from .beats import begin, detour, find_elder, finish, go, mood, search, set_out, told_story
from .scene import Scene
from .world import Thing, Wish

Outcome = tuple[Wish, str, str]


def lost(scene: Scene) -> Outcome:
    """Lose a dear thing, look for it, and find it, or get another one."""
    hero, friend, (first, second, *_) = scene.hero, scene.friend, scene.places
    thing = scene.thing(*lexicon.PRECIOUS, owner=hero)
    scene.move(friend, second)
    scene.move(scene.elder, second)
    begin(scene)
    scene.do("own", hero, thing=thing)
    set_out(scene, first)
    if scene.chance(0.6):
        scene.do("play", hero, thing=thing)
    spot = scene.pick(first.spots)
    scene.do("lose" if scene.chance(0.6) else "lose_unseen", hero, thing=thing, spot=spot)
    scene.paragraph()
    go(scene, hero, second)
    scene.do("notice_gone", hero, thing=thing, feel=scene.pick(("sad", "worried")))
    if scene.chance(0.35):
        helper = find_elder(scene, hero)
        scene.do("tell_loss", hero, helper, thing)
        if scene.chance(0.6):
            told_story(scene, helper, hero, "told.lost")
    else:
        helper = friend
        scene.do("meet", hero, helper, spot=scene.pick(second.spots))
        if scene.chance(0.5):
            scene.do("askwhy", helper, hero)
        scene.do("tell_loss", hero, helper, thing)
        if scene.chance(0.5):
            scene.do("comfort", helper, hero, other_feel="hopeful")
            mood(scene, hero)
    scene.paragraph()
    search(scene, hero, thing, 1 + scene.chance(0.5))
    if scene.world.feelings[hero.name] != "hopeful":
        mood(scene, hero)
    detour(scene, hero, thing)
    roll = scene.random()
    if roll < 0.4:
        scene.do("hint", helper, hero, thing, x=f"{spot} {first.at}", other_feel="hopeful")
    elif roll < 0.7:
        scene.do("remember", hero, thing=thing, place=first, spot=spot, level="remembered")
    scene.paragraph()
    go(scene, hero, first, helper)
    if roll > 0.7:
        search(scene, hero, thing, 1)
    ending = "granted"
    last = scene.random()
    if last < 0.55:
        scene.do("find", hero, thing=thing, spot=spot)
    elif last < 0.85 or roll <= 0.7:
        scene.do("found_by", helper, hero, thing, spot=spot)
        scene.do("handback", helper, hero, thing)
    else:
        ending = "changed"
        scene.do("not_found", hero, thing=thing, feel="sad")
        scene.paragraph()
        new = scene.thing("toy", "treasure", "clothes")
        scene.do("make_new", helper, hero, new)
        scene.do("hand", helper, hero, new)
        scene.do("thank", hero, helper, feel="grateful")
        finish(scene, helper, calm=True)
        return Wish(hero.name, "hold", thing=thing.name), "lost", ending
    scene.do("joy_found", hero, helper, thing, feel="happy", other_feel="happy")
    if scene.chance(0.6):
        scene.do("thank", hero, helper)
    finish(scene, helper)
    return Wish(hero.name, "hold", thing=thing.name), "lost", ending


def wanted(scene: Scene) -> Outcome:
    """Want what the friend has: wait for it, take it and own up, or make one."""
    hero, friend, (first, *_) = scene.hero, scene.friend, scene.places
    scene.move(friend, first)
    thing = scene.thing("toy", "treasure", "clothes", "tool", owner=friend)
    begin(scene)
    set_out(scene, first)
    scene.do("meet", hero, friend, spot=scene.pick(first.spots))
    scene.do("show_off", friend, hero, thing, feel="proud")
    scene.do("want", hero, thing=thing, feel="jealous")
    mood(scene, hero)
    scene.paragraph()
    wish = Wish(hero.name, "hold", friend.name, thing.name)
    if scene.chance(0.7):
        scene.do("ask_have", hero, friend, thing)
        scene.do("refuse", friend, hero, thing, x=scene.pick(lexicon.REFUSALS))
    roll = scene.random()
    if roll < 0.4:
        scene.do("wait", hero, friend, thing, spot=scene.pick(first.spots), feel="hopeful")
        if scene.chance(0.3):
            told_story(scene, friend, hero, "told.patient")
        scene.do("soften", friend, hero)
        scene.do("lend", friend, hero, thing, feel="happy", other_feel="happy")
        scene.do("thank", hero, friend)
        finish(scene, friend)
        return wish, "held by another", "granted"
    if roll < 0.75:
        scene.do("grab", hero, friend, thing, feel="worried")
        scene.do("cry_gone", friend, hero, thing, feel="sad")
        scene.do("mood.sorry", hero, feel="sorry")
        scene.paragraph()
        scene.do("own_up", hero, friend, thing)
        scene.do("handback", hero, friend, thing)
        if scene.chance(0.5):
            scene.do("sorry", hero, friend)
        scene.do("forgive_truth", friend, hero, feel="calm")
        if scene.chance(0.5):
            scene.do("lend", friend, hero, thing, feel="happy", other_feel="happy")
            finish(scene, friend)
            return wish, "held by another", "granted"
        scene.do("laugh", hero, friend, feel="calm", other_feel="happy")
        finish(scene, friend, calm=True)
        return wish, "held by another", "let go"
    looks = [look for look in lexicon.COLORS if look != thing.look]
    own = scene.add(Thing(scene.pick(looks), thing.noun, thing.plural))
    scene.do("make_own", hero, friend, own)
    scene.do("two_now", hero, friend, own, feel="happy", other_feel="happy")
    finish(scene, friend)
    return wish, "held by another", "changed"


def trade(scene: Scene) -> Outcome:
    """Trade one thing for another, and perhaps trade back."""
    hero, friend, (first, *_) = scene.hero, scene.friend, scene.places
    scene.move(friend, first)
    mine = scene.thing("toy", "treasure", "clothes", "nature", "tool", owner=hero)
    yours = scene.thing("toy", "treasure", "clothes", owner=friend)
    begin(scene)
    scene.do("has", hero, thing=mine)
    set_out(scene, first)
    scene.do("meet", hero, friend, spot=scene.pick(first.spots))
    scene.do("has", friend, thing=yours)
    scene.do("want", hero, thing=yours, feel="excited")
    scene.paragraph()
    scene.do("offer", hero, friend, yours, swap=mine)
    scene.do("haggle", friend, hero, yours, swap=mine, x=scene.pick(lexicon.REFUSALS))
    if scene.chance(0.6):
        scene.do("sweeten", hero, friend, yours)
    scene.do("trade", hero, friend, yours, swap=mine, feel="happy", other_feel="happy")
    wish = Wish(hero.name, "hold", friend.name, yours.name)
    if scene.chance(0.35):
        scene.paragraph()
        scene.do("regret", hero, thing=yours, feel="disappointed")
        detour(scene, hero)
        scene.do("trade_back", hero, friend, mine, swap=yours, feel="calm")
        finish(scene, friend, calm=True)
        return wish, "held by another", "let go"
    mood(scene, hero)
    finish(scene, friend)
    return wish, "held by another", "granted"


def tricked(scene: Scene) -> Outcome:
    """Lose a thing to somebody sly and win it back with a box."""
    hero, (first, second, *_) = scene.hero, scene.places
    sly = scene.somebody("sly", first, scene.pick(lexicon.SLY))
    friend = scene.friend
    scene.move(friend, second)
    thing = scene.thing(*lexicon.PRECIOUS, owner=hero)
    spot = scene.pick(second.spots)
    begin(scene)
    scene.do("own", hero, thing=thing)
    set_out(scene, first)
    scene.do("sly_comes", hero, sly, thing)
    scene.do("trick", sly, hero, thing, feel="proud", other_feel="angry")
    if scene.chance(0.6):
        scene.do("boast", sly, thing=thing)
    mood(scene, hero)
    scene.paragraph()
    go(scene, hero, second)
    if scene.chance(0.6):
        scene.do("meet", hero, friend, spot=scene.pick(second.spots))
        if scene.chance(0.5):
            scene.do("askwhy", friend, hero)
        scene.do("advice", friend, hero, x="who likes to trick others is easily tricked")
    else:
        detour(scene, hero, thing)
    bait = scene.thing("nature", at=(second, spot))
    scene.do("findnew", hero, thing=bait, spot=spot)
    scene.do("pack_box", hero, swap=bait)
    scene.paragraph()
    go(scene, hero, first)
    scene.do("bait", hero, sly, thing, swap=bait)
    scene.do("swap_box", sly, hero, thing, swap=bait, other_feel="happy")
    scene.do("open_box", sly, thing=thing, swap=bait)
    scene.do("tricked", sly, thing=thing, feel="sorry")
    scene.do("end.alone", hero, thing=thing, feel="proud")
    return Wish(hero.name, "hold", sly.name, thing.name), "stolen by a trick", "granted"
