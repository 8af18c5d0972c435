"""Moments of the residual stream, the scores read from them, and where the error of a linear map sits."""

from .moments import JointMoments
from .profile import joint_moments, linearity_profile, linearity_profiles, profile_of_states
from .scores import heldout_scores, linear_map, scores
from .selection import Selection
