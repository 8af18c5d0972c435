"""Moments of the residual stream, the scores read from them, and where the error of a linear map sits."""

from .moments import JointMoments
from .outliers import massive_activations, ordinary_tokens, outlier_ablation
from .passes import joint_moments
from .profile import linearity_profile, profile_of_states
from .scores import heldout_scores, linear_map, scores
from .tokenwise import TokenErrors, token_errors

__all__ = [
    "JointMoments",
    "TokenErrors",
    "heldout_scores",
    "joint_moments",
    "linear_map",
    "linearity_profile",
    "massive_activations",
    "ordinary_tokens",
    "outlier_ablation",
    "profile_of_states",
    "scores",
    "token_errors",
]
