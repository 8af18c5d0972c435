"""A world of small children's stories: told, read back and graded, and asked about."""

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
