"""A world of small children's stories: told, read back and graded.

Told: `stories.tell` sets a `scene`; `plots` plays a script of data/scripts.txt on it, with the passages of `beats`;
every event changes the world (`acts`) and is said (`grammar`) by a template, whose `slots` put people and things into
words.

Read: `read` finds the templates in a text, and the same slots say whom or what the words can mean; `meant` decides, and
`memory` lets the same events happen in a world known in part, which refuses what cannot be. `grade` counts.
"""

from .grade import Grade, finished, grade
from .novelty import Reference, novelty, reference_index
from .scripts import wishes
from .stories import Story, splitmix, stories, story_seed, tell
