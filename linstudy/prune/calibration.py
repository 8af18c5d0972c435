"""What one text says of a whole model: found out when it is first asked for, and once for all who ask."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd
from jaxtyping import Float
from torch import Tensor
from transformers import PreTrainedModel

from ..evaluate import cross_entropy
from ..models import blocks as model_blocks
from .actions import ACTIONS, fit
from .changes import Change, changed
from .fitting import Blocks, Exits, exits
from .importance import angular_distances, layer_scores

SEQUENCES = 128  # blocks on which a loss is measured, as in SLEB


@dataclass(frozen=True, eq=False)
class Calibration:
    """A whole model, and the blocks by which its layers are chosen and on which maps are fitted.

    The model may be changed and made whole again between two questions.
    """

    model: PreTrainedModel
    blocks: Blocks
    part: str = "block"  # of its layers, that goes
    losses: dict[tuple, float] = field(default_factory=dict, init=False)

    @property
    def depth(self) -> int:
        """How many layers the model has."""
        return len(model_blocks(self.model))

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Those of :func:`layer_scores`, by layer."""
        return layer_scores(self.model, self.blocks).set_index("layer")

    @cached_property
    def distances(self) -> Float[Tensor, "boundary boundary"]:
        """Those of :func:`angular_distances`."""
        return angular_distances(self.model, self.blocks)

    @cached_property
    def maps(self) -> dict[int, Change]:
        """The replacement of each layer by its affine map."""
        layers = range(1, self.depth + 1)
        return {one.first: one for one in fit(self.model, layers, "affine", blocks=self.blocks, part=self.part)}

    @cached_property
    def exits(self) -> Exits | None:
        """The states that leave every layer, or None where they are too large to be kept."""
        return exits(self.model, self.blocks)

    def changes(self, action: str, layers: Sequence[int]) -> list[Change]:
        """Return what :func:`fit` does."""
        if action == "affine":
            return [self.maps[layer] for layer in sorted(layers)]
        whole = self.exits if ACTIONS[action].sequential else None
        return fit(self.model, layers, action, blocks=self.blocks, part=self.part, whole=whole)

    def loss(self, action: str, layers: Sequence[int]) -> float:
        """Return the loss in nats per token, on the first 128 blocks, once layers were removed or replaced."""
        key = (action, *sorted(layers))
        if key not in self.losses:
            with changed(self.model, self.changes(action, layers)):
                self.losses[key] = cross_entropy(self.model, self.blocks[:SEQUENCES])
        return self.losses[key]
