"""Play the scripts of the plots on a scene."""

from typing import Any

from . import lexicon
from .beats import Telling
from .kinds import kinds
from .scripts import ENDINGS, FILE, Fork, Step, Steps, plots
from .world import Character, Place, Thing

ROLES = {Character: ("who", "other"), Thing: ("thing", "swap"), Place: ("place",), str: ("spot",)}


def play(scene: Telling) -> str:
    """Draw a plot, play it, and return how its wish ended."""
    scene.plot, steps = scene.pick(plots())
    names = dict(zip(("first", "second", "third", "fourth"), scene.places, strict=True))
    names |= {"home": scene.home, "hero": scene.hero, "friend": scene.friend, "elder": scene.elder}
    scene.move(scene.elder, names["second"])
    return _play(scene, steps, names)


def _play(scene: Telling, steps: Steps, names: dict[str, Any]) -> str:
    """Take steps until one says how the wish ended, and return that, or ""."""
    for step in steps:
        if isinstance(step, Fork):
            roll = scene.random() if step.drawn else 0.0
            fitting = (
                branch.steps
                for branch in step.branches
                if roll < branch.percent / 100 and all(names[name] == value for name, value in branch.tests)
            )
            ending = _play(scene, next(fitting, ()), names)
        elif step.verb in ENDINGS:
            ending = step.verb
        else:
            ending = ""
            _take(scene, step, names)
        if ending:
            return ending
    return ""


def _take(scene: Telling, step: Step, names: dict[str, Any]) -> None:
    """Let an event happen, or do what a method of the scene does, and name what it returns."""
    values = [_value(word, names) for key, word in step.arguments if not key]
    named = {key: _value(word, names) for key, word in step.arguments if key}
    if step.verb in kinds():
        scene.do(step.verb, **_roles(step.verb, values), **named)
    elif step.verb == "wish":
        scene.wish(**_roles(step.verb, values), **named)
    elif step.verb.startswith("_") or not hasattr(scene, step.verb):
        raise ValueError(f"{FILE}: there is no event and no passage {step.verb!r}")
    else:
        found = getattr(scene, step.verb)(*values, **named)
        names.update(zip(step.names, found, strict=True) if len(step.names) > 1 else dict.fromkeys(step.names, found))


def _roles(verb: str, values: list[Any]) -> dict[str, Any]:
    """Say of each value what part it has in an event, by what it is."""
    roles: dict[str, Any] = {}
    for value in values:
        role = next((role for role in ROLES.get(type(value), ()) if role not in roles), "")
        if not role or "who" not in roles | {role: value}:  # somebody comes first
            raise ValueError(f"{FILE}: {verb!r} cannot be about {value!r}")
        roles[role] = value
    return roles


def _value(word: str, names: dict[str, Any]) -> Any:
    """Return what a word of a script stands for."""
    if word in names:
        return names[word]
    first, _, rest = word.partition(".")
    if word[0] == '"':
        return word[1:-1].format_map(names)
    if "," in word:
        return tuple(word.split(","))
    if word.isdigit():
        return int(word)
    if first.isupper():
        words = getattr(lexicon, first)
        return words[int(rest)] if rest else words
    return getattr(names[first], rest) if first in names else word
