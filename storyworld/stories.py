"""Tell small children's stories whose world is known: who is where, who holds what, who feels what, and how it ends."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from .acts import World
from .beats import Telling
from .plots import play
from .world import Character, Event, Thing, Wish

MASK = 2**64 - 1
LONGEST = 340  # words


@dataclass(frozen=True, slots=True)
class Story:
    """A story and the facts of its world.

    `start` is the world before the first event, with all that is there sooner or later.
    `ending` is "granted", "changed" (something else took the wish's place) or "let go".
    """

    seed: int
    text: str
    plot: str
    characters: tuple[Character, ...]
    things: tuple[Thing, ...]
    start: World
    wish: Wish
    ending: str
    events: tuple[Event, ...]


def tell(seed: int) -> Story:
    """Return the story of a seed: always the same one, in every process and version of Python."""
    for room in (1000, 600, 0):  # characters after which nothing is told that the plot can do without
        scene = Telling(seed, room=room)
        ending = play(scene)
        if scene.text.count(" ") < LONGEST:
            break
    told = {name for event in scene.events if event.level == "real" for name in (event.who, event.other)}
    return Story(
        seed,
        scene.text,
        scene.plot,
        tuple(c for c in scene.characters if c.name in told),
        tuple(scene.things),
        scene.start,
        scene.wished,
        ending,
        tuple(scene.events),
    )


def stories(seed: int = 0) -> Iterator[str]:
    """Yield stories without end; the k-th depends only on `seed` and k, and other seeds give other stories."""
    for position in count():
        yield tell(story_seed(seed, position)).text


def story_seed(seed: int, position: int) -> int:
    """Return the 64-bit seed of a story in a stream: splitmix64 of the stream's seed, then of the position."""
    return splitmix(splitmix(seed & MASK) + position & MASK)


def splitmix(state: int) -> int:
    """Return the splitmix64 hash of a 64-bit state (Steele, Lea, Flood 2014), a bijection."""
    z = state + 0x9E3779B97F4A7C15 & MASK
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
    return z ^ z >> 31
