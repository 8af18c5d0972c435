"""What can be asked of the stories, whose world knows the answers: labelled examples, and the class of every word."""

from .examples import Example
from .tagger import WORD, WORD_CLASSES, story_classes
from .tasks import SPLITS, TASKS, task
