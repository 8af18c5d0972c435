"""Say what the slots of a template mean now: who, by name or by pronoun, which thing, which place, which word."""

from collections.abc import Callable

from .lexicon import CLASSES, FEELINGS, SEASONS
from .world import Character, Thing

FORMS = {"he": ("he", "him", "his", "himself"), "she": ("she", "her", "her", "herself")}


class Voice:
    """The telling of one story: what the slots of the next sentence mean, and who was spoken of last."""

    __slots__ = (
        "clash",
        "detail",
        "extra",
        "feelings",
        "focus",
        "heard",
        "home",
        "last",
        "met",
        "other",
        "place",
        "random",
        "runs",
        "season",
        "spoken",
        "spot",
        "swap",
        "thing",
        "used",
        "who",
    )

    def __init__(self, random: Callable[[], float]):
        self.random = random
        self.focus: Character | None = None  # a pronoun may stand for this one
        self.heard: Character | None = None  # the other one in the last sentences
        self.runs = 0  # pronouns in a row
        self.last: dict[str, int] = {}
        self.used: set[tuple[str, int]] = set()
        self.home = ""
        self.season = ""
        self.met = ""  # traits already told, so that a trait is told only once


def article(phrase: str) -> str:
    """Return the phrase with a or an before it."""
    return (
        "an " if (phrase[0] in "aeiou" and not phrase.startswith("uni")) or phrase.startswith("honest") else "a "
    ) + phrase


def listed(phrases: list[str]) -> str:
    """Return the phrases with commas and a final "and"."""
    return f"{', '.join(phrases[:-1])}, and {phrases[-1]}"


def subject(voice: Voice) -> str:
    """Name the one the sentence is about, or use a pronoun where only one can be meant."""
    who = voice.who
    if voice.spoken:
        return who.name if voice.clash else who.pronoun
    voice.spoken = True
    heard = voice.heard
    clear = voice.focus is who and not voice.clash and (heard is None or heard.pronoun != who.pronoun)
    if clear and voice.runs < 2 and voice.random() < 0.7:
        voice.runs += 1
        return who.pronoun
    voice.runs = 0
    if (
        who.role == "hero"
        and voice.met
        and voice.random() < 0.1
        and (voice.other is None or voice.other.kind != who.kind)
    ):
        return f"the {who.trait} {who.kind}"
    return who.name


def name(voice: Voice) -> str:
    """Name the one the sentence is about."""
    voice.spoken, voice.runs = True, 0
    return voice.who.name


def a_who(voice: Voice) -> str:
    """Introduce the one the sentence is about."""
    voice.met = voice.who.name
    return introduced(voice.who)


def introduced(character: Character) -> str:
    """Return "a curious little fox", "a shy girl"."""
    small = "" if character.kind in ("girl", "boy") else "little "
    return article(f"{character.trait} {small}{character.kind}")


def he(voice: Voice) -> str:
    """Return the pronoun within a sentence whose subject is `who`."""
    return voice.who.pronoun


def he_clear(voice: Voice) -> str:
    """Return the pronoun, or the name where the other one could be meant."""
    return voice.who.name if voice.clash else voice.who.pronoun


def other_form(index: int, clash: Callable[[Character], str]) -> Callable[[Voice], str]:
    """Return a slot for a pronoun of the other one, which is the name where the first one could be meant."""

    def slot(voice: Voice) -> str:
        return clash(voice.other) if voice.clash else FORMS[voice.other.pronoun][index]

    return slot


def with_owner(owner: str, thing: Thing, voice: Voice) -> str:
    """Return "her red kite" or, now and then, "her kite"."""
    return f"{owner} {thing.noun if voice.random() < 0.3 else thing.name}"


def a_thing(thing: Thing) -> str:
    """Return "a red kite", "a pair of red mittens"."""
    return f"a pair of {thing.name}" if thing.plural else article(thing.name)


def feeling(voice: Voice, who: Character) -> str:
    """Return a word for what somebody feels now."""
    words = FEELINGS[voice.feelings[who.name]]
    return words[int(voice.random() * len(words))]


def weather(voice: Voice) -> str:
    """Return a word for the weather that the season allows."""
    words = SEASONS[voice.season]
    return words[int(voice.random() * len(words))]


def choice(words: str) -> Callable[[Voice], str]:
    """Return the slot of a class of words, which does not give the same word twice in a row."""
    options = CLASSES[words]
    count = len(options)

    def slot(voice: Voice) -> str:
        index = int(voice.random() * count)
        if voice.last.get(words) == index:
            index = (index + 1) % count
        voice.last[words] = index
        return options[index]

    return slot


WORDS = {words: choice(words) for words in CLASSES}
SLOTS: dict[str, Callable[[Voice], str]] = {
    "who": subject,
    "name": name,
    "a.who": a_who,
    "he": he,
    "him": lambda v: FORMS[v.who.pronoun][1],
    "his": lambda v: FORMS[v.who.pronoun][2],
    "himself": lambda v: FORMS[v.who.pronoun][3],
    "kind": lambda v: v.who.kind,
    "hands": lambda v: v.who.hands,
    "mycall": lambda v: v.who.call,
    "feeling": lambda v: feeling(v, v.who),
    "feeling.plain": lambda v: FEELINGS[v.feelings[v.who.name]][0],
    "other": lambda v: v.other.name,
    "a.other": lambda v: introduced(v.other),
    "call": lambda v: v.other.call,
    "o.he": other_form(0, lambda other: other.name),
    "o.him": other_form(1, lambda other: other.name),
    "o.his": other_form(2, lambda other: other.name + "'s"),
    "o.own": lambda v: FORMS[v.other.pronoun][2],
    "o.kind": lambda v: v.other.kind,
    "o.hands": lambda v: v.other.hands,
    "o.hand": lambda v: v.other.hands[:-1],
    "o.feeling": lambda v: feeling(v, v.other),
    "o.feeling.plain": lambda v: FEELINGS[v.feelings[v.other.name]][0],
    "thing": lambda v: "the " + (v.thing.noun if v.random() < 0.35 else v.thing.name),
    "a.thing": lambda v: a_thing(v.thing),
    "his.thing": lambda v: with_owner(FORMS[v.who.pronoun][2], v.thing, v),
    "my.thing": lambda v: with_owner("my", v.thing, v),
    "bare": lambda v: v.thing.name,
    "a.noun": lambda v: v.thing.noun if v.thing.plural else article(v.thing.noun),
    "color": lambda v: v.thing.look or "small",
    "it": lambda v: "them" if v.thing.plural else "it",
    "it.s": lambda v: "they" if v.thing.plural else "it",
    "was": lambda v: "were" if v.thing and v.thing.plural else "was",
    "is": lambda v: "are" if v.thing.plural else "is",
    "this": lambda v: "these" if v.thing.plural else "this",
    "swap": lambda v: "the " + v.swap.name,
    "a.swap": lambda v: a_thing(v.swap),
    "my.swap": lambda v: with_owner("my", v.swap, v),
    "this.swap": lambda v: f"{'these' if v.swap.plural else 'this'} {v.swap.name}",
    "at": lambda v: v.place.at,
    "to": lambda v: v.place.to,
    "place": lambda v: v.place.name,
    "where": lambda v: v.place.where,
    "spot": lambda v: v.spot,
    "home": lambda v: v.home,
    "season": lambda v: v.season,
    "weather": weather,
    "a.weather": lambda v: article(weather(v)),
    "x": lambda v: v.detail,
    "y": lambda v: v.extra,
    "a.x": lambda v: article(v.detail),
    "x.s": lambda v: v.detail + "s",
}
