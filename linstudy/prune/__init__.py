"""Pruning: which layers can go, what takes their place, how it is saved, healed and measured."""

from .actions import ACTIONS, fit, prune, pruned
from .changes import Change, Place, change, changed, count_parameters, places_of
from .costs import rank_agreement, single_costs
from .healing import HEALING, heal, randomise_
from .importance import SIGNS, angular_distances, layer_scores
from .latency import latency
from .orders import ORDERS, choose
from .parts import parts_in
from .saving import export, load_pruned, save_pruned, stand_ins
from .table import BASELINES, pruning_table

__all__ = [
    "ACTIONS",
    "BASELINES",
    "HEALING",
    "ORDERS",
    "SIGNS",
    "Change",
    "Place",
    "angular_distances",
    "change",
    "changed",
    "choose",
    "count_parameters",
    "export",
    "fit",
    "heal",
    "latency",
    "layer_scores",
    "load_pruned",
    "parts_in",
    "places_of",
    "prune",
    "pruned",
    "pruning_table",
    "randomise_",
    "rank_agreement",
    "save_pruned",
    "single_costs",
    "stand_ins",
]
