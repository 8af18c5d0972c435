"""What runs are listed by and judged by: names, rates and sets that their makers share with the list and the claims."""

from linstudy.lookup import entries

from .source import LENGTH

SEEDS = 3  # shards of the text, and draws of random weights
FAMILY_TOKENS = 64 * LENGTH  # of a small model's text: 500 a dimension
SMALL = tuple(entries("models/small.json"))  # names, which the list of runs needs without importing torch
WIDTHS = (32, 128, 512)
WIDENED = {"llama": 3, "gpt2": 4, "olmo2": 3, "bert": 4}  # how many times as wide their MLPs are inside
ARCHITECTURES = tuple(entries("models/matched.json", "casebook"))
# What goes of a model whose losses are measured: every layer alone, or more and more by what is told of layers
# beforehand, or by trying what is done with them, or published sets.
ALONE, TOGETHER, TRIED, PUBLISHED = "alone", "together", "tried", "published"
ACTIONS = ("remove", "affine")
# Layers of gemma3-270m without which P. Martra, Rearchitecting LLMs (2026), prints a perplexity, on Cosmopedia.
SETS = {(): 13.39, (9, 10, 15, 17): 125.7, (9, 10, 11, 12): 490.0, (13, 14, 15, 16): 464.0, (15, 16, 17, 18): 264.0}
# An action, where its maps start, and a healing; the last is the control: nothing is pruned.
RECIPES = (
    *(("affine", "fitted", healing) for healing in ("maps, by states", "maps, by loss", "all, by loss")),
    *(("affine", "zero", healing) for healing in ("maps, by states", "maps, by loss", "all, by loss")),
    ("affine", "random", "maps, by states"),
    *(("remove", "", healing) for healing in ("all, by states", "all, by loss")),
    ("whole", "", "all, by loss"),
)
# Of a real model, where a run is minutes.
FEWER = (
    ("whole", "", "all, by loss"),
    *(("affine", "fitted", healing) for healing in ("maps, by loss", "all, by loss", "maps, by states")),
    ("remove", "", "all, by loss"),
    ("affine", "zero", "maps, by loss"),
)
GAUSSIAN = "gaussian"  # in place of weights: those that were trained, on Gaussian tokens
HEALING_SEED = 0  # on which rates of healing are compared; others judge
