"""What models of this book can do: the stories they tell, what their states and their choices know."""

from .continuations import Sampling, grade_model, story_beginnings
from .probing import probe, probe_states
from .zero_shot import zero_shot
