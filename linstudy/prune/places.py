"""The record of what was done to a model: what stands at each place, and which layers of the whole model it is for."""

from dataclasses import dataclass, replace

from transformers import PreTrainedModel

from ..models import blocks as model_blocks

KEPT, REMOVED, AFFINE = "kept", "removed", "affine"


@dataclass(frozen=True)
class Place:
    """What stands at one place of a changed model.

    It takes the stream from the entry of layer ``first`` of the whole model to the exit of layer ``last``, counted from
    1. ``block`` is kept or affine; the parts of a kept block are kept, removed or affine.
    """

    first: int
    last: int
    block: str = KEPT
    attention: str = KEPT
    mlp: str = KEPT

    def __post_init__(self) -> None:
        """Refuse a record that means nothing, out of a damaged file for one."""
        known = self.block in (KEPT, AFFINE) and {self.attention, self.mlp} <= {KEPT, REMOVED, AFFINE}
        if not (1 <= self.first <= self.last and known):
            raise ValueError(f"{self} is nothing that can stand at a place of a model")

    @property
    def replaced_parts(self) -> tuple[str, ...]:
        """Return the parts of a kept block that are not its own any more."""
        return tuple(part for part in ("attention", "mlp") if getattr(self, part) != KEPT)


Places = tuple[Place | None, ...]  # None: nothing stands there


def places_of(model: PreTrainedModel) -> tuple[Place, ...]:
    """Return what stands at each place of a model; in one that nobody pruned, its own layers.

    Raises ValueError for a model whose blocks were exchanged in another way since.
    """
    count, places = len(model_blocks(model)), getattr(model, "linstudy_places", None)
    if places is None:
        return tuple(Place(layer, layer) for layer in range(1, count + 1))
    if len(places) != count:
        raise ValueError(
            f"the model has {count} blocks now and had {len(places)} when it was pruned: exchange the blocks of a "
            "pruned model with linstudy.prune only"
        )
    return places


def note_places(model: PreTrainedModel, places: tuple[Place, ...] | None) -> None:
    """Note on the model what stands at each place; None for one that nobody pruned."""
    model.linstudy_places = places


def replaced_places(places: Places, first: int, last: int) -> Places:
    """Return the record once one affine map stands for a run of places, counted from 1."""
    one = Place(places[first - 1].first, places[last - 1].last, AFFINE)
    return (*places[: first - 1], one, *[None] * (last - first), *places[last:])


def removed_places(places: Places, first: int, last: int, *, merged: bool) -> Places:
    """Return the record once a run of places is gone; ``merged`` into the place before, that one reaches further."""
    before = list(places[: first - 1])
    if merged:
        before[-1] = replace(before[-1], last=places[last - 1].last)
    return (*before, *[None] * (last - first + 1), *places[last:])


def changed_part(places: Places, layer: int, part: str, kind: str) -> Places:
    """Return the record once a part of one place was removed or replaced."""
    return (*places[: layer - 1], replace(places[layer - 1], **{part: kind}), *places[layer:])
