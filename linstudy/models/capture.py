"""Read the residual stream while the model runs, around whole blocks or around their parts."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn
from transformers import PreTrainedModel

from .layout import blocks, stack_of
from .layout import inside as inside_of
from .parts import entering, leaving

PARTS = ("block", "attention", "mlp")
State = Float[Tensor, "batch token dim"]


@contextmanager
def capture(model: PreTrainedModel, *, stack: str | None = None) -> Iterator[list[State]]:
    """Collect the residual stream while the model runs.

    Every forward pass inside the context refills the list with L + 1 states: entry 0 is what enters the first
    block, entry l is what leaves block l, before the final norm (``output_hidden_states`` gives the last one after
    it). The states are part of the graph: penalties on them can be trained through. ``stack`` is ``"encoder"`` or
    ``"decoder"`` for models that have both.

    Raises RuntimeError when the blocks do not run once each and in order (LayerDrop, shared weights), and on leaving
    the context when no forward pass ran. No hook stays on the model, whatever happens inside.

    Example::

        with capture(model) as stream:
            model(ids)
        update = stream[1] - stream[0]  # (batch, token, dim)
    """
    with _watched(model, stack, {}, lambda seen: [seen[0]["x"], *(block["y"] for block in seen)]) as stream:
        yield stream


@contextmanager
def capture_part(model: PreTrainedModel, part: str, *, stack: str | None = None) -> Iterator[list[tuple[State, State]]]:
    """Collect, for every block, the stream before and after one of its parts: L pairs, refilled by every pass.

    ``part`` is ``"block"`` (consecutive states of :func:`capture`), ``"attention"`` or ``"mlp"``. Where the MLP
    follows attention, the two parts share the stream in between. Where they run side by side (GPT-J, Pythia, Phi,
    Falcon), both read the stream x that enters the block, and the pairs are (x, x + output of the part): the output
    before dropout, so set the model to ``eval`` first. In a decoder that reads an encoder, attention means self-
    and cross-attention together.

    Raises ValueError for an unknown part and for blocks without such parts; RuntimeError as :func:`capture` does.
    """
    if part not in PARTS:
        raise ValueError(f"part {part!r} is not known: choose one of {', '.join(PARTS)}")
    inside = {} if part == "block" else _inside(model, part, stack)
    with _watched(model, stack, inside, lambda seen: [_pair(block, part) for block in seen]) as pairs:
        yield pairs


def parts_of(model: PreTrainedModel, *, stack: str | None = None) -> tuple[str, ...]:
    """Say which parts :func:`capture_part` can tell apart in this model: all, or only the whole block."""
    try:
        _inside(model, "mlp", stack)
    except ValueError:
        return PARTS[:1]
    return PARTS


def _pair(block: dict[str, Tensor], part: str) -> tuple[State, State]:
    x, y = block["x"], block["y"]
    if "between" in block:
        between = block["between"].view_as(y)  # OPT flattens batch and tokens before its MLP
        return (x, between) if part == "attention" else (between, y)
    return x, block.get("beside", y)


def _inside(model: PreTrainedModel, part: str, stack: str | None) -> dict[nn.Module, str]:
    """Find the modules inside the blocks to listen to, and whether they lie between the parts or are one of two."""
    inside = {}
    for index, block in enumerate(blocks(model, stack=stack)):
        found = inside_of(model, block)
        if found.between:
            inside[block.get_submodule(found.between)] = "between"
        elif found.beside:
            inside[block.get_submodule(found.beside[part == "mlp"])] = "beside"
        else:
            raise ValueError(
                f"block {index} of this {model.config.model_type!r} model, a {type(block).__name__}, has no separate "
                'attention and MLP: use part="block"'
            )
    return inside


@contextmanager
def _watched(
    model: PreTrainedModel,
    stack: str | None,
    inside: dict[nn.Module, str],
    harvest: Callable[[list[dict[str, Tensor]]], list],
) -> Iterator[list]:
    """Note what passes the blocks and the modules ``inside`` them; ``harvest`` it at the end of every forward pass."""
    layers = list(blocks(model, stack=stack))
    harvested, seen = [], []
    running, passes = False, 0

    def start(runner: nn.Module, args: tuple) -> None:
        nonlocal running
        running = True
        harvested.clear()
        seen.clear()

    def end(runner: nn.Module, args: tuple, output: Any) -> None:
        nonlocal running, passes
        running, passes = False, passes + 1
        if len(seen) < len(layers):
            raise RuntimeError(_out_of_turn("the pass ended", len(seen), len(layers)))
        harvested[:] = harvest(seen)
        seen.clear()

    # Blocks also run outside a forward pass: gradient checkpointing runs them once more for the backward pass.
    def enter(block: nn.Module, args: tuple, kwargs: dict) -> None:
        if running:
            if block not in layers[len(seen) : len(seen) + 1]:
                raise RuntimeError(_out_of_turn(f"block {layers.index(block)} ran", len(seen), len(layers)))
            seen.append({"x": entering(args, kwargs)})

    def leave(block: nn.Module, args: tuple, output: Any) -> None:
        if running:
            seen[-1]["y"] = leaving(output)

    def note_between(module: nn.Module, args: tuple, kwargs: dict) -> None:
        if running:
            seen[-1]["between"] = entering(args, kwargs)

    def note_beside(module: nn.Module, args: tuple, output: Any) -> None:
        if running:  # added at once, for Falcon goes on to change the MLP's output in place
            seen[-1]["beside"] = (y := leaving(output)) + seen[-1]["x"].to(y.device)

    runner = stack_of(model, stack=stack)
    with ExitStack() as hooks:
        hooks.callback(runner.register_forward_pre_hook(start).remove)
        hooks.callback(runner.register_forward_hook(end).remove)
        for block in dict.fromkeys(layers):  # one hook each, also where a block stands in the list twice
            hooks.callback(block.register_forward_pre_hook(enter, with_kwargs=True).remove)
            hooks.callback(block.register_forward_hook(leave).remove)
        for module, kind in inside.items():
            if kind == "between":
                hooks.callback(module.register_forward_pre_hook(note_between, with_kwargs=True).remove)
            else:
                hooks.callback(module.register_forward_hook(note_beside).remove)
        yield harvested
    if not passes:
        raise RuntimeError("no forward pass ran while capturing: call the model inside the with-block")


def _out_of_turn(event: str, due: int, count: int) -> str:
    place = f"block {due} of 0 to {count - 1} was due" if due < count else f"all {count} blocks had run"
    return (
        f"{event} when {place}, but capture needs each block to run once and in order: switch LayerDrop off with "
        "model.eval(), and do not capture a model that runs a block twice"
    )
