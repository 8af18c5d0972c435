"""Pruning: which layers can go, what takes their place, how it is saved and measured."""

from .actions import ACTIONS, fit, prune, pruned
from .changes import Change, Place, change, changed, places_of
from .importance import SIGNS, angular_distances, layer_scores
from .latency import latency
from .orders import ORDERS, choose
from .saving import export, load_pruned, save_pruned, stand_ins
from .table import choices, pruning_table
