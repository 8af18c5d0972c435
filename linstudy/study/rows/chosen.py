"""What runs are listed by and judged by: names, rates and sets that their makers share with the list and the claims."""

from .source import LENGTH

SEEDS = 3  # shards of the text, and draws of random weights
FAMILY_TOKENS = 64 * LENGTH  # of a small model's text: 500 a dimension
# Names of linstudy.models.SMALL, which the list of runs needs without importing torch; a test keeps them equal.
SMALL = (
    *("bloom", "falcon", "falcon new", "falcon sequential", "gemma", "gemma2", "gemma3_text", "gpt2", "gpt_neo"),
    *("gpt_neox", "gpt_neox sequential", "gptj", "llama", "mamba", "mistral", "olmo2", "opt", "opt postnorm", "phi"),
    *("phi3", "qwen2", "qwen3", "stablelm", "stablelm parallel", "bert", "roberta", "bart", "t5"),
)
WIDTHS = (32, 128, 512)
WIDENED = {"llama": 3, "gpt2": 4, "olmo2": 3, "bert": 4}  # how many times as wide their MLPs are inside
# Names of linstudy.models.ARCHITECTURES, in the order in which they are trained, and their rates: that of the preset
# nano, and half of it for networks that normalise last; none was swept. A test keeps the names equal.
RATES = {
    "decoder": 6e-3,
    "encoder": 6e-3,
    "encoder, post-norm": 3e-3,
    "encoder-decoder": 6e-3,
    "state space": 6e-3,
    "decoder, OPT, post-norm": 3e-3,
    "convolution": 6e-3,
    "recurrent": 6e-3,
    "decoder, norms / √layer": 6e-3,
    "decoder, OPT": 6e-3,
}
# What goes of a model whose losses are measured: every layer alone, or more and more, or published sets.
ALONE, TOGETHER, PUBLISHED = "alone", "together", "published"
ACTIONS = ("remove", "affine")
# Layers of gemma3-270m without which P. Martra, Rearchitecting LLMs (2026), prints a perplexity, on Cosmopedia.
SETS = {(): 13.39, (9, 10, 15, 17): 125.7, (9, 10, 11, 12): 490.0, (13, 14, 15, 16): 464.0, (15, 16, 17, 18): 264.0}
HEALING_SEED = 0  # on which rates of healing are compared; others judge
