"""How good a model is: its loss on a text, the stories it tells, what its states and its choices know."""

from storyworld import Grade, Reference, grade, novelty, reference_index

from .continuations import Sampling, grade_model, story_beginnings
from .loss import bits_per_byte, cross_entropy
from .probing import probe, probe_states
from .zero_shot import zero_shot
