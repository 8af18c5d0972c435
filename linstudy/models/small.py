"""Small models with random weights, one or more of a family: what an architecture scores before any training."""

import torch
import transformers
from transformers import PreTrainedModel

from ..lookup import entries, named

# Name of the variant: (class, fields of its config). The first word of a name is the model_type.
SMALL: dict[str, tuple[str, dict]] = entries("models/small.json")


def small_model(name: str, *, seed: int = 0, **changes: object) -> PreTrainedModel:
    """Make a model of width 32 and 3 layers with the random weights that its family starts training from.

    ``name`` is one in ``SMALL``: a model_type, and a word more where a family has several kinds of block
    ("falcon sequential", "opt postnorm"). ``changes`` go to the config. In eval mode, on the CPU.

    Raises ValueError for an unknown name.
    """
    kind, fields = named(SMALL, name, "small model")
    maker = getattr(transformers, kind)
    # Under the family's own names: of a common name and its own, GPT-2 would take the one it was given first.
    own = maker.config_class.attribute_map
    named_by_it = {own.get(field, field): value for field, value in (fields | changes).items()}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return maker(maker.config_class(**named_by_it)).eval()
