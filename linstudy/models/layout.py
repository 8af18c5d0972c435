"""Where a model's blocks, their parts and its final norm are: found by structure, proven on a few tokens."""

import inspect
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from .parts import Call, Parts, entering, is_norm, leaving, parts_of_block

BLOCKS: dict[str, str] = {}
"""model_type: the dotted name of the list of blocks under ``model.base_model``, for models whose configs do not say how
long it is; ``{stack}`` stands for ``encoder`` or ``decoder``. Also what is named here is proven."""

_DEPTHS = ("num_hidden_layers", "encoder_layers", "decoder_layers", "num_layers", "num_decoder_layers")
_TOKENS = 6  # of the proof: enough that attention has something to mix


@dataclass(frozen=True)
class Layout:
    """Where one stack of blocks is, by dotted names under ``model.base_model``, and how its blocks answer."""

    blocks: str
    final_norm: str | None
    returns: int  # how many values a block returns in a tuple, the stream first; 0 for the bare stream
    width: int  # of the stream, which is not always what the config calls hidden_size


@dataclass(eq=False)
class _Run:
    """One run of a block in the proof: what came in and went out, when it ended, and the modules that ran inside."""

    block: nn.Module
    x: Tensor | None
    names: dict[nn.Module, str]
    calls: list[Call] = field(default_factory=list)
    y: Any = None
    end: int = 0
    returns: int = 0


_layouts: WeakKeyDictionary[nn.Module, dict[str | None, Layout]] = WeakKeyDictionary()
_PARTS = "linstudy_parts"  # an attribute of the block, so that a copy of a block whose parts were replaced knows them


def blocks(model: PreTrainedModel, *, stack: str | None = None) -> nn.ModuleList:
    """Return the list of blocks, first to last.

    ``stack`` is ``"encoder"`` or ``"decoder"`` for models that have both, and left out for all others.
    Raises ValueError for a stack that is not there, and as :func:`layout_of` does.
    """
    return model.base_model.get_submodule(layout_of(model, stack=stack).blocks)


def final_norm(model: PreTrainedModel, *, stack: str | None = None) -> nn.Module | None:
    """Return the norm that the stream passes after the last block; None where there is none."""
    name = layout_of(model, stack=stack).final_norm
    return None if name is None else model.base_model.get_submodule(name)


def width_of(model: PreTrainedModel, *, stack: str | None = None) -> int:
    """Return the width of the stream."""
    return layout_of(model, stack=stack).width


def stack_of(model: PreTrainedModel, *, stack: str | None = None) -> nn.Module:
    """Return the module that holds the list of blocks and runs them."""
    return model.base_model.get_submodule(layout_of(model, stack=stack).blocks.rpartition(".")[0])


def stacks_of(model: PreTrainedModel) -> tuple[str, ...]:
    """Return the names of the stacks to choose from; empty where there is one."""
    return ("encoder", "decoder") if model.config.is_encoder_decoder else ()


def inside(model: PreTrainedModel, block: nn.Module) -> Parts:
    """Return where the parts of one of the model's blocks are, as they were when it was first seen."""
    if not hasattr(block, _PARTS):
        _prove(model)
    return getattr(block, _PARTS)


def layout_of(model: PreTrainedModel, *, stack: str | None = None) -> Layout:
    """Find where a stack's blocks and final norm are, and prove it: once for a model, then it is remembered.

    The blocks are the list of modules as long as the config says there are layers. The proof is one pass of a few
    tokens, in ``eval`` mode and without a trace in weights, gradients or random numbers: the blocks run once each and
    in order, and what leaves a block is, bit for bit, what enters the next. It runs before anything is measured, not
    in the first captured pass, because where to listen inside a block depends on it.

    Raises ValueError, with what was found, for a model in which no list of modules passes.
    """
    stacks = stacks_of(model)
    if stack not in (stacks or (None,)):
        kind = model.config.model_type
        choice = f"give stack={' or stack='.join(map(repr, stacks))}" if stacks else "leave stack out"
        raise ValueError(f"stack={stack!r} does not say which blocks of a {kind!r} model are meant: {choice}")
    if model.base_model not in _layouts:
        _layouts[model.base_model] = _prove(model)
    return _layouts[model.base_model][stack]


def _prove(model: PreTrainedModel) -> dict[str | None, Layout]:
    kind, stacks = model.config.model_type, stacks_of(model) or (None,)
    lists, reasons, found = _lists(model), [], {}
    runs, outside = _trace(model, lists)
    for stack in stacks:
        for name, modules in lists.items():
            if stack is None or stack in name.split("."):
                layout = _check(name, modules, runs, outside)
                if isinstance(layout, Layout):
                    found.setdefault(stack, layout)
                else:
                    reasons.append(layout)
    if len(found) < len(stacks):
        reason = "; ".join(reasons) or "no list of modules is as long as its config says there are layers"
        raise ValueError(
            f"where the blocks of a {kind!r} model are is not known ({reason}): if it has a list of modules that run "
            f'once each, in order, name it, linstudy.models.BLOCKS["{kind}"] = "name under model.base_model"'
        )
    return found


def _lists(model: PreTrainedModel) -> dict[str, nn.ModuleList]:
    """Return the lists of modules that may be the blocks, by name."""
    base, config = model.base_model, model.config.get_text_config(decoder=True)
    if named := BLOCKS.get(model.config.model_type):
        names = [named.format(stack=stack) for stack in stacks_of(model) or ("",)]
        return {name: base.get_submodule(name) for name in names}
    depths = {getattr(config, name, None) for name in _DEPTHS}
    lists = {name: one for name, one in base.named_modules() if isinstance(one, nn.ModuleList) and len(one) in depths}
    return {name: one for name, one in lists.items() if not any(name.startswith(f"{outer}.") for outer in lists)}


def _check(name: str, modules: nn.ModuleList, runs: list[_Run], outside: list[Call]) -> Layout | str:
    """Return where the blocks are if these modules are they; else why they are not."""
    mine = [run for run in runs if any(run.block is one for one in modules)]
    if not modules or [run.block for run in mine] != list(modules):
        return f"the {len(modules)} modules of {name} do not run once each and in order"
    if not all(_alike(run.x, run.y) and run.x.ndim == 3 and run.x.shape[:2] == (1, _TOKENS) for run in mine):
        return f"{name} hold no stream of shape (batch, token, dim)"
    for index, (run, after) in enumerate(pairwise(mine)):
        if not _equal(run.y, after.x):
            return f"what leaves {name}.{index} is not what enters {name}.{index + 1}"
    after = [call for call in outside if call.start > mine[-1].end]
    reader = next((call for call in after if _equal(call.x, mine[-1].y)), None)
    norm = reader.name if reader and is_norm(reader.module) else None
    return Layout(name, norm, mine[-1].returns, mine[-1].x.shape[-1])


@torch.no_grad()
def _trace(model: PreTrainedModel, lists: dict[str, nn.ModuleList]) -> tuple[list[_Run], list[Call]]:
    """Run the model on a few tokens; return the runs of the modules in these lists, and the calls outside of them."""
    base = model.base_model
    listed = {module for modules in lists.values() for module in modules}
    names = {module: name for name, module in base.named_modules()}
    runs, outside, under_way = [], [], []  # under way: runs and calls that have started and not ended
    clock, listening = 0, True

    def start(module: nn.Module, args: tuple, kwargs: dict[str, Any]) -> None:
        nonlocal clock
        if not listening:
            return
        clock += 1
        x = entering(args, kwargs)
        x = None if x is None else x.to("cpu", copy=True)  # some change a state in place; no GPU solves by gelsd
        run = next((one for one in under_way if isinstance(one, _Run)), None)
        if module in listed:
            call = _Run(module, x, {one: name for name, one in module.named_modules()})
            runs.append(call)
        else:
            known, calls = (run.names, run.calls) if run else (names, outside)
            call = Call(known.get(module, ""), module, args, kwargs, clock, x)
            calls.append(call)
        under_way.append(call)

    def end(module: nn.Module, args: tuple, output: Any) -> None:
        nonlocal clock, listening
        if not listening:
            return
        clock += 1
        call, y = under_way.pop(), leaving(output)
        call.y, call.end = y.to("cpu", copy=True) if isinstance(y, Tensor) else None, clock
        call.returns = len(output) if isinstance(output, tuple | list) else 0
        if isinstance(call, _Run):
            listening = False  # to what runs once more to see whether it mixes tokens
            if not hasattr(module, _PARTS) and _alike(call.x, call.y):
                setattr(module, _PARTS, parts_of_block(call.x, call.y, call.calls))
            listening = True
            call.calls.clear()

    ids = torch.linspace(5, model.config.get_text_config(decoder=True).vocab_size - 1, _TOKENS).long()[None]
    given = {"input_ids": ids.to(base.device), "use_cache": False}
    given |= {"decoder_input_ids": given["input_ids"]} if stacks_of(model) else {}
    accepted = inspect.signature(base.forward).parameters
    if not any(one.kind is one.VAR_KEYWORD for one in accepted.values()):
        given = {name: value for name, value in given.items() if name in accepted}
    training = [module for module in base.modules() if module.training]
    gpus = {weight.device for weight in base.parameters() if weight.device.type == "cuda"}
    with torch.random.fork_rng(devices=gpus), ExitStack() as hooks:
        for module in base.modules():
            hooks.callback(module.register_forward_pre_hook(start, with_kwargs=True).remove)
            hooks.callback(module.register_forward_hook(end).remove)
        for module in training:
            hooks.callback(setattr, module, "training", True)
        base.eval()
        try:
            base(**given)
        except Exception as error:
            cause = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            raise ValueError(
                f"where the blocks of a {model.config.model_type!r} model are is not known, for it does not run on "
                f"tokens alone ({cause}): use a language model"
            ) from error
    return runs, outside


def _alike(one: Tensor | None, other: Tensor | None) -> bool:
    return one is not None and other is not None and one.shape == other.shape


def _equal(one: Tensor | None, other: Tensor | None) -> bool:
    if not _alike(one, other):
        return False
    # Broken weights give NaN on both sides, and who reads the stream says where it begins.
    return torch.equal(one, other) or (one.is_floating_point() and torch.allclose(one, other, 0, 0, equal_nan=True))
