"""Ask why somebody felt as they did: which of two events of the story was the cause."""

from collections.abc import Iterator
from random import Random

from .example import Candidate, Chooser, Example
from .known import OPPOSITE
from .stories import Story

# What may be said of an event that changed a feeling, after "Mila was sad because". `{was}` agrees with the thing.
CAUSES = {
    "able": "{who} {detail}",
    "advice": "{who} gave good advice",
    "alone": "there was nobody to play with",
    "birthday": "{who} had a present for {other}",
    "brings": "{who} gave {other} the {thing}",
    "broke": "something was wrong with the {thing}",
    "build": "{who} made {detail}",
    "clear": "{detail}",
    "comfort": "{who} wanted to help",
    "confess_break": "the {thing} {was} broken",
    "cry_gone": "the {thing} {was} gone",
    "do_plan": "they {detail}",
    "eat_alone": "{who} ate the {thing} alone",
    "fail": "{detail}",
    "fear_of": "there was {detail}",
    "free": "{other} was free at last",
    "game": "they played hide and seek",
    "hand": "{who} gave {other} the {thing}",
    "joy_found": "the {thing} {was} found again",
    "laugh": "they laughed together",
    "lend": "{who} gave {other} the {thing}",
    "make_up": "they were friends again",
    "missing": "the {thing} {was} missing",
    "nearly": "{other} came close to the secret",
    "not_found": "nobody could find the {thing}",
    "notice_gone": "the {thing} {was} gone",
    "offer_way": "{who} promised to help",
    "plan": "they wanted to {detail}",
    "plan_fix": "{who} knew how to mend it",
    "plan_inside": "they found something to do indoors",
    "promise_help": "{who} promised to help",
    "quarrel": "they had a quarrel",
    "regret": "the {thing} {was} not as {who} had hoped",
    "right_place": "{other} was home",
    "share": "they shared the {thing}",
    "stay_secret": "they had a secret place",
    "storm": "{detail}",
    "stray": "{other} could not find the way home",
    "swap_box": "{other} got the {thing} back",
    "trade": "they made a trade",
    "trick": "{who} took the {thing}",
    "trouble": "{other} was in trouble",
    "two_now": "there were two now",
    "works": "the {thing} {was} whole again",
    "wrong_place": "it was the wrong place",
}


def cause(stories: Iterator[Story], random: Random) -> Iterator[Example]:
    """Ask which of two events made somebody feel as they did; both happened, the other made them feel the opposite."""
    chooser = Chooser(2, random)
    for story in stories:
        causes = list(_causes(story))
        pairs = [
            (one, two)
            for one in causes
            for two in causes
            if one[0] == two[0] and two[1] in OPPOSITE[one[1]] and one[2] != two[2]
        ]
        if not pairs:
            continue
        (person, feeling, words, stop), (_, _, wrong, wrong_stop) = chooser.one(pairs)
        label = chooser.balanced([Candidate(feeling, label, "") for label in range(2)]).label
        choices = (f"{words}.", f"{wrong}.")
        context = f"{story.text[: max(stop, wrong_stop)]}\n\n{person[0].upper()}{person[1:]} was {feeling} because"
        yield Example(context, choices if label == 0 else choices[::-1], label, feeling, (story.seed,))


def _causes(story: Story) -> Iterator[tuple[str, str, str, int]]:
    """Yield of every event that changed a feeling for good or bad: who, the feeling, the cause in words, its end."""
    things = {thing.name: thing for thing in story.things}
    before: dict[str, str] = {}
    for event in story.events:
        now = dict(event.feelings)
        if event.kind in CAUSES and event.level == "real":
            thing = things.get(event.thing)
            slots = {"was": "were" if thing and thing.plural else "was", "thing": event.thing, "detail": event.detail}
            words = CAUSES[event.kind].format(who=event.who, other=event.other, **slots)
            for person in (event.who, event.other):
                if now.get(person) != before.get(person) and now.get(person) in OPPOSITE:
                    yield person, now[person], words, event.stop
        before = now
