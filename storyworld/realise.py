"""Turn events into sentences: compile the template tables once, then fill their slots from the state of the telling."""

import re
from collections.abc import Callable
from functools import cache

from .tables import templates
from .voice import SLOTS, WORDS, Voice, he_clear
from .world import Character, Place, Thing

TOKEN = re.compile(r"\{[^}]*\}|<[^>]*>|[\[\]|]|[^\[\]|{}<>]+")


def say(
    voice: Voice,
    kind: str,
    who: Character,
    other: Character | None,
    thing: Thing | None,
    swap: Thing | None,
    place: Place,
    spot: str,
    detail: str,
    extra: str,
    feelings: dict[str, str],
) -> str:
    """Return the sentences of one event; a template is not used twice in a story while another is left."""
    templates = compiled()[kind]
    count = len(templates)
    index = int(voice.random() * count)
    for _ in range(count):
        if (kind, index) not in voice.used:
            break
        index = (index + 1) % count
    voice.used.add((kind, index))
    voice.who, voice.other, voice.thing, voice.swap, voice.place = who, other, thing, swap, place
    voice.spot, voice.detail, voice.extra, voice.feelings = spot, detail, extra, feelings
    voice.clash = other is not None and other.pronoun == who.pronoun
    voice.spoken = False
    out: list[str] = []
    fill(templates[index], voice, out)
    voice.focus, voice.heard = who, other
    return "".join(out)


def fill(parts: tuple, voice: Voice, out: list[str]) -> None:
    """Append the text of compiled `parts` to `out`."""
    for part in parts:
        if type(part) is str:
            out.append(part)
        elif type(part) is tuple:
            fill(part[int(voice.random() * len(part))], voice, out)
        else:
            out.append(part(voice))


@cache
def compiled() -> dict[str, tuple]:
    """Return the compiled templates of every kind of event."""
    tables = templates("shared.txt") | templates("plots.txt")
    return {kind: tuple(map(parse, lines)) for kind, lines in tables.items()}


def parse(template: str) -> tuple:
    """Compile one template: strings stay, slots and classes become functions of the voice, `[a|b]` branches."""
    stack: list[list[list]] = [[[]]]
    for token in TOKEN.findall(template):
        if token == "[":
            stack.append([[]])
        elif token == "|":
            stack[-1].append([])
        elif token == "]":
            branches = tuple(tuple(branch) for branch in stack.pop())
            stack[-1][-1].append(branches)
        elif token[0] == "{":
            stack[-1][-1].append(capital(token[1:-1], SLOTS))
        elif token[0] == "<":
            stack[-1][-1].append(capital(token[1:-1], WORDS))
        else:
            stack[-1][-1].append(token)
    return tuple(stack[0][0])


def capital(name: str, table: dict[str, Callable[[Voice], str]]) -> Callable[[Voice], str]:
    """Return the function for a slot; one written with a capital begins a sentence."""
    if name[0].islower():
        return table[name]
    plain = he_clear if name == "He" else table[name[0].lower() + name[1:]]

    def capitalised(voice: Voice) -> str:
        text = plain(voice)
        return text[0].upper() + text[1:]

    return capitalised
