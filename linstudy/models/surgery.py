"""Take blocks out, put others in their place, and have the model whole again afterwards."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, SupportsIndex

from jaxtyping import Float
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.cache_utils import Cache, CacheLayerMixin
from transformers.modeling_layers import GradientCheckpointingLayer

from .layout import blocks, layout_of, stack_of, stacks_of

# Lists in configs, one entry a block.
_PER_LAYER = ("layer_types", "mlp_layer_types", "attention_layers", "layers_block_type", "no_rope_layers")


@contextmanager
def replaced(model: PreTrainedModel, stand_ins: Mapping[SupportsIndex, nn.Module]) -> Iterator[PreTrainedModel]:
    """Put modules in the place of blocks; the model is whole again on exit, also after an error.

    ``stand_ins`` maps indices of blocks, counted from 0, to other blocks or to any modules that map the stream,
    ``(batch, token, dim)`` to the same shape: ``replaced(model, {3: nn.Linear(dim, dim)})``. Generation keeps
    working, with and without cache.

    Raises IndexError for a block that is not there.
    """
    whole = _blocks_at(model, stand_ins)
    with _arranged(model, [stand_ins.get(index, block) for index, block in enumerate(whole)]):
        yield model


@contextmanager
def without(model: PreTrainedModel, indices: Iterable[SupportsIndex]) -> Iterator[PreTrainedModel]:
    """Leave out blocks by index, from 0, until exit; IndexError for one not there, ValueError where none is left."""
    removed = set(indices)
    whole = _blocks_at(model, removed)
    with _arranged(model, [block for index, block in enumerate(whole) if index not in removed]):
        yield model


def set_blocks(model: PreTrainedModel, modules: Iterable[nn.Module]) -> None:
    """Give the model these blocks, first to last, for good.

    Modules that are no blocks are wrapped in :class:`StandIn`. The number and the kinds of layers in the config, and
    the number each block knows itself by in the cache of keys and values, follow.

    Raises ValueError where there is no block, where one stands in two places, and for a model with two stacks.
    """
    here, returns = list(_blocks_at(model)), layout_of(model).returns
    kinds = (GradientCheckpointingLayer, StandIn, *map(type, here))
    places = [module if isinstance(module, kinds) else StandIn(module, returns=returns) for module in modules]
    if not places:
        raise ValueError("no block would be left: keep at least one")
    if len(set(places)) < len(places):
        twice = next(block for block in places if places.count(block) > 1)
        first, second = [index for index, block in enumerate(places) if block is twice][:2]
        raise ValueError(f"the same block stands at {first} and {second}: give each place its own (copy.deepcopy)")

    config = model.config.get_text_config()  # that of the decoder, where a model has others beside it
    for name in _PER_LAYER:
        if kinds := vars(config).get(name):
            # A block takes its kind along (sliding or full attention); a newcomer takes the kind of its place.
            origin = [here.index(b) if b in here else min(i, len(here) - 1) for i, b in enumerate(places)]
            setattr(config, name, [kinds[i] for i in origin])
    for block, kind in zip(places, getattr(config, "layer_types", None) or (), strict=False):
        if isinstance(block, StandIn):
            block.attention_type = kind  # transformers 5.0 asks the block itself which mask it takes
    if "attention_layers" in vars(config):  # GPT-Neo writes the same down twice
        config.attention_types = [[[kind], 1] for kind in config.attention_layers]
    _install(model, nn.ModuleList(places))
    config.num_hidden_layers = len(places)


class StandIn(nn.Module):
    """A block's stand-in: any module that maps the stream, called and answering as the blocks around it do.

    ``returns`` says how many values the model's blocks return in a tuple, the stream first; 0 for the bare stream.
    """

    def __init__(self, module: nn.Module, *, returns: int = 0):
        super().__init__()
        self.module = module
        self.returns = returns
        self.layer_idx = 0

    def forward(self, hidden_states: Float[Tensor, "batch token dim"], *args: Any, **kwargs: Any) -> Any:
        """Map the stream; the rest of what a block is given serves the cache only."""
        for cache in (*args, *kwargs.values()):
            if isinstance(cache, Cache):
                self._count(cache, hidden_states)
        stream = self.module(hidden_states)
        return (stream, *[None] * (self.returns - 1)) if self.returns else stream

    def _count(self, cache: Cache, hidden_states: Tensor) -> None:
        # Models read the number of tokens so far off the first layer of the cache, so a stand-in must count too:
        # it stores keys and values of width 1 (of width 0 they would count as no tokens).
        layers = cache.layers[self.layer_idx : self.layer_idx + 1]
        if all(isinstance(layer, CacheLayerMixin) for layer in layers):  # a state-space model's do not count
            zeros = hidden_states.new_zeros(hidden_states.shape[0], 1, hidden_states.shape[1], 1)
            cache.update(zeros, zeros, self.layer_idx)


@contextmanager
def _arranged(model: PreTrainedModel, modules: list[nn.Module]) -> Iterator[None]:
    whole = blocks(model)
    names, config = (*_PER_LAYER, "attention_types", "num_hidden_layers"), model.config.get_text_config()
    before = {name: getattr(config, name) for name in names if name in vars(config)}
    count = config.num_hidden_layers
    try:
        set_blocks(model, modules)
        yield
    finally:
        _install(model, whole)
        for name, value in before.items():
            setattr(config, name, value)
        config.num_hidden_layers = count


def _install(model: PreTrainedModel, modules: nn.ModuleList) -> None:
    for index, block in enumerate(modules):
        for module in block.modules():
            for name in ("layer_idx", "layer_id"):  # GPT-Neo's is layer_id
                if hasattr(module, name):
                    setattr(module, name, index)
    setattr(stack_of(model), layout_of(model).blocks.rpartition(".")[2], modules)


def _blocks_at(model: PreTrainedModel, indices: Iterable[SupportsIndex] = ()) -> nn.ModuleList:
    """Return all blocks, once sure that those with these indices are there and may be exchanged."""
    if stacks_of(model):
        raise ValueError(
            f"the blocks of a {model.config.model_type!r} model cannot be exchanged, because its encoder and decoder "
            "share a config: use a model with one stack"
        )
    whole = blocks(model)
    for index in indices:
        if index not in range(len(whole)):
            raise IndexError(f"no block {index}: the model has blocks 0 to {len(whole) - 1}")
    return whole
