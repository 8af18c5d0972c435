"""A block that knows what it is to give: for models that go on from a state somebody has."""

from jaxtyping import Float
from torch import Tensor, nn


class Given(nn.Module):
    """Stands for a block: gives the ``state`` that is known to leave it, whatever enters."""

    state: Tensor | None = None

    def forward(self, hidden_states: Float[Tensor, "batch token dim"]) -> Float[Tensor, "batch token dim"]:
        """Return the state."""
        return self.state
