"""A world of small children's stories: told, read back and graded, and asked about.

Told: `stories.tell` sets a `scene`; `plots` plays a script of data/scripts.txt on it, with the passages of `beats`;
every event changes the world (`acts`) and is said (`grammar`) by a template, whose `slots` put people and things into
words.

Read: `read` finds the templates in a text, and the same slots say whom or what the words can mean; `meant` decides, and
`memory` lets the same events happen in a world known in part, which refuses what cannot be. `grade` counts.

Asked about: `tasks` makes labelled examples, for `known` says what a reader can know.
"""

from .examples import Example
from .grade import Grade, finished, grade
from .novelty import Reference, novelty, reference_index
from .scripts import wishes
from .stories import Story, splitmix, stories, story_seed, tell
from .tagger import WORD, WORD_CLASSES, story_classes
from .tasks import SPLITS, TASKS, task

__all__ = [
    "SPLITS",
    "TASKS",
    "WORD",
    "WORD_CLASSES",
    "Example",
    "Grade",
    "Reference",
    "Story",
    "finished",
    "grade",
    "novelty",
    "reference_index",
    "splitmix",
    "stories",
    "story_classes",
    "story_seed",
    "task",
    "tell",
    "wishes",
]
