"""Read a story sentence by sentence: which event each tells, who takes part, and what its world says to that."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice, product

from .cast import ANYBODY, GENDER, WHO, Cast, Pair, pairs
from .facts import Facts, happen
from .fillers import things
from .kinds import kinds
from .patterns import Match, matches, sentences
from .props import SWAP, THING, Props, named
from .world import Thing

LONGEST = 6  # sentences of one template
ATTEMPTS = 100  # ways to understand a sentence that are tried: a wild text can name many people and things
WITH_OTHER = {"give", "grab", "trade", "gotogether", "uncover", "free", "get"}
WITH_THING = {"put", "take", "give", "grab", "trade", "eat", "enter", "make", "get", "mend", "break"}
WITH_SWAP = {"trade", "mend", "pack", "unpack"}
SAME = {"x", "y", "spot", "at", "to", "where", "kind", "o.kind", "season"}  # the same all through an event


@dataclass(frozen=True, slots=True)
class Told:
    """What a stretch of text tells: an event of some kind, or ("" for `kind`) a sentence that no story has.

    `fault` says what is wrong, "" for nothing. One that is not `whole` is a part of an event, and has no effect.
    """

    start: int
    stop: int
    sentences: int
    kind: str
    fault: str
    who: str = ""
    other: str = ""
    thing: str = ""
    whole: bool = True


@dataclass(frozen=True, slots=True)
class State:
    """All that is known after a part of the text; a reading makes a new one."""

    cast: Cast = field(default_factory=Cast)
    facts: Facts = field(default_factory=Facts)
    props: Props = field(default_factory=Props)


def read(text: str) -> tuple[list[Told], Facts]:
    """Return what a text tells, in order, and what is known of its world at the end."""
    state, told, spans, at = State(), [], sentences(text), 0
    while at < len(spans):
        start, stop = spans[at]
        if not at or "\n" in text[spans[at - 1][1] : start]:
            state.cast.focus = ""  # a paragraph begins with a name
        paragraph = text.find("\n\n", start) % (len(text) + 1)  # -1 is the end of the text
        best = _best(text, start, [stop for _, stop in spans[at : at + LONGEST] if stop <= paragraph], state)
        if best:
            one, state = best
            count = sum(start < end <= one.stop for _, end in spans[at : at + LONGEST])
            told.append(replace(one, start=start, sentences=count))
        else:
            told.append(Told(start, stop, 1, "", "no story has such a sentence"))
            _lose_track(state, text[start:stop])
        at += told[-1].sentences
    return told, state.facts


def _best(text: str, start: int, ends: list[int], state: State) -> tuple[Told, State] | None:
    """Return the reading with the most sentences, and of those the first without a fault."""
    for whole in (True, False):
        best = None
        for match in sorted(matches(text, start, ends, whole=whole), key=lambda match: -match.stop):
            if best and match.stop < best[0].stop:
                break
            for reading in islice(_readings(match, state), ATTEMPTS):
                if not reading[0].fault:
                    return reading
                best = best or reading
        if best:
            return best
    return None


def _lose_track(state: State, text: str) -> None:
    """Forget the whereabouts of everybody and everything in a sentence that could not be read."""
    state.cast.focus = ANYBODY
    state.facts.forget(*(name for name in state.cast.people if name in text))
    state.facts.forget(*(name for name, thing in state.props.known.items() if thing.noun in text))


def _readings(match: Match, state: State) -> Iterator[tuple[Told, State]]:
    """Yield the ways to understand a match, the likeliest first; none if its words do not agree."""
    kind, whole = match.pattern.kind, match.pattern.whole
    row = kinds()[kind]
    words: dict[str, str] = {}
    for slot, value in match.filled:
        if slot in SAME and words.get(slot, value) != value:
            return
        words[slot] = value
    if row.level == "told":
        if _tale_agrees(match.filled, words):
            cast = replace(state.cast, focus="")  # a pronoun would stand for the animal
            yield Told(0, match.stop, 0, kind, "", whole=whole), replace(state, cast=cast)
        return
    thing, swap = (named(match.filled, state.props, slots) for slots in (THING, SWAP))
    if thing is None or swap is None:
        return
    act = row.act if whole and row.level == "real" else ""
    known = list(reversed(state.props.known.values()))
    if thing.thing:
        choices = [thing.thing]
    elif kind == "build" and whole:
        choices = things()[words["x"].split(" ", 1)[1]]
    else:
        choices = [one for one in known if thing.many in (None, one.plural)] if act in WITH_THING else []
    others = [swap.thing] if swap.thing else known if act in WITH_SWAP else []
    for pair in pairs(state.cast, match.filled, kind, other_needed=act in WITH_OTHER):
        for one, two in product(choices or [None], others or [None]):
            if one is None or one != two:
                yield _play(match, state, pair, one, two, words, pair.fault or thing.fault or swap.fault)


def _tale_agrees(filled: tuple[tuple[str, str], ...], words: dict[str, str]) -> bool:
    """Say whether the hero of a tale stays what it is, and the thing the tale is about."""
    genders = {GENDER[value] for slot, value in filled if slot in WHO}
    kinds = {words.get("kind"), words.get("a.who", "").split(" ")[-1]} - {None, ""}
    goods = {words.get("x"), words.get("a.x", "").split(" ")[-1], words.get("x.s", "").removesuffix("s")} - {None, ""}
    return len(genders) <= 1 and len(kinds) <= 1 and len(goods) <= 1


def _play(
    match: Match,
    state: State,
    pair: Pair,
    thing: Thing | None,
    swap: Thing | None,
    words: dict[str, str],
    fault: str,
) -> tuple[Told, State]:
    """Let what is told happen in the world as far as it is known, and return the state after it."""
    kind, whole = match.pattern.kind, match.pattern.whole
    who, other = pair.who.name, pair.other.name if pair.other else ""
    names = (who, other, thing.name if thing else "", swap.name if swap else "")
    facts, props = state.facts.copy(), state.props.copy()
    event = kind if whole else ""  # what breaks off has no effect, but its words can be wrong
    real = kinds()[kind].level == "real"
    act = kinds()[kind].act_with(bool(other)) if whole and real else ""
    if "to" in words and not whole:
        facts.forget(who, other)
    impossible = happen(facts, event, act, names, words) if whole or real else ""
    different = props.note(event, words, thing, facts.clause(who))
    props.keep(swap)
    props.keep(thing)
    people = state.cast.people | {person.name: person for person in (pair.who, pair.other) if person}
    cast = Cast(people, state.cast.hero or who, who if pair.sure else ANYBODY, other)
    told = Told(0, match.stop, 0, kind, fault or impossible or different, *names[:3], whole=whole)
    return told, State(cast, facts, props)
