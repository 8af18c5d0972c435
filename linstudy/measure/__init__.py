"""Moments of the residual stream, and the scores read from them."""

from .moments import JointMoments
from .profile import linearity_profile, profile_of_states
from .scores import heldout_scores, linear_map, scores

__all__ = ["JointMoments", "heldout_scores", "linear_map", "linearity_profile", "profile_of_states", "scores"]
