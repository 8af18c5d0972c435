"""Moments of the residual stream, the scores read from them, and where the error of a linear map sits."""

from .geometry import anisotropy, intrinsic_dimension
from .lens import Lens, logit_lens
from .moments import JointMoments
from .outliers import massive_activations, ordinary_tokens, outlier_ablation
from .profile import joint_moments, linearity_profile, linearity_profiles, profile_of_states
from .scores import heldout_scores, linear_map, scores
from .selection import Selection
from .tokens import TokenErrors, layer_contributions, sample_states, token_errors
