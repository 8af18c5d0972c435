"""Find the parts of a block, attention and MLP, by arithmetic: which outputs of its modules are added to the stream."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

_FEW = 12  # roundings that a sum of three terms, one of them scaled, may be away from its terms


@dataclass(frozen=True)
class Parts:
    """Where a block's parts are: dotted names in the block, None for what it does not have.

    Attention is what mixes tokens (a convolution or a state-space layer may stand in its place), the MLP what follows
    or accompanies it and does not.
    """

    between: str | None = None
    """One after the other: the module whose *input* is the stream after attention and before the MLP. That holds for
    norms before, after and around a part, and where modules add the stream themselves (BLOOM)."""
    beside: tuple[str, str] | None = None
    """Side by side: the attention and the MLP whose outputs are both added to the stream that enters the block."""
    attention: str | None = None
    """The child of the block that is its attention and no more: it reads the stream, directly or through a norm, and
    what it gives is added to the stream, maybe after a norm or times a factor."""
    mlp: str | None = None  # the child of the block that is its MLP, likewise
    attention_returns: int = 0  # how many values that child returns in a tuple; 0 for its output alone
    mlp_returns: int = 0
    writers: tuple[str, ...] = ()  # the matrices whose outputs are added to the stream as they are, or none
    down: str | None = None  # the last of these matrices, also where the others are none
    norms: tuple[str, ...] = ()  # the norms that read the stream


@dataclass(eq=False)
class Call:
    """One run of a module: what came in and went out, where of the stream's size, and when (starts, ends counted)."""

    name: str
    module: nn.Module
    args: tuple
    kwargs: dict[str, Any]
    start: int
    x: Tensor | None
    end: int = 0
    y: Tensor | None = None
    output: Tensor | None = None  # of whatever size
    returns: int = 0  # how many values in a tuple; 0 for no tuple


@dataclass(frozen=True)
class _Step:
    """One sum: what the stream was, since when, and the outputs, with their factors, that are added to it."""

    stream: Tensor
    since: int
    until: int
    added: tuple[tuple[Call, float], ...]
    norm: Call | None  # what the sum passes before it is the stream again


def parts_of_block(x: Tensor, y: Tensor, calls: list[Call]) -> Parts:
    """Tell a block's parts from what entered it, what left it, and the runs of the modules in it, in order."""
    for call in calls:
        call.x, call.y, call.output = _as_stream(call.x, x), _as_stream(call.y, x), call.y
    steps = next(_ways(x, 0, y, calls), ())
    if not steps:
        return Parts()
    writers = [_matrix(call, factor, calls) for step in steps for call, factor in step.added]
    as_it_is = not any(step.norm for step in steps)
    norms = [call.name for step in steps for call in _readers(step, calls) if is_norm(call.module)]
    found = Parts(
        writers=tuple(writers) if all(writers) and as_it_is else (),
        down=writers[-1] if not steps[-1].norm else None,
        norms=tuple(name for name in dict.fromkeys(norms) if not any(name.startswith(f"{one}.") for one in norms)),
    )
    return Parts(**vars(found) | _attention_and_mlp(steps, calls))


def entering(args: tuple, kwargs: dict[str, Any]) -> Tensor | None:
    """Return the state that a module is given: the first tensor of real numbers, by place, usual name or any name."""
    given = (value for value in (*args, kwargs.get("hidden_states"), *kwargs.values()) if isinstance(value, Tensor))
    return next((value for value in given if value.is_floating_point()), None)


def leaving(output: Any) -> Any:
    """Return what a module gives, or the first of what it gives."""
    return output[0] if isinstance(output, tuple | list) and output else output


def is_norm(module: nn.Module) -> bool:
    """Say whether a module is a norm: it holds nothing but vectors, or nothing at all and is called so."""
    weights = list(module.parameters())
    return all(weight.ndim == 1 for weight in weights) and (bool(weights) or "norm" in type(module).__name__.lower())


def _attention_and_mlp(steps: tuple[_Step, ...], calls: list[Call]) -> dict[str, Any]:
    if len(steps) == 1:
        (step,) = steps
        mixing = [_mixes(call, step.stream.shape[1]) for call, _ in step.added]
        if sorted(mixing) != [False, True] or any(factor != 1 for _, factor in step.added) or step.norm:
            return {}
        attention, mlp = (step.added[mixing.index(kind)][0] for kind in (True, False))
        beside = {"beside": (attention.name, mlp.name)}
        return beside | _child("attention", attention, step, calls) | _child("mlp", mlp, step, calls)
    mixing = [any(_mixes(call, step.stream.shape[1]) for call in _outermost(step, calls)) for step in steps]
    first = mixing.index(False) if False in mixing else 0
    if not first or any(mixing[first:]):
        return {}
    readers = [call.name for call in _readers(steps[first], calls) if [c.name for c in calls].count(call.name) == 1]
    if not readers:
        return {}
    names = {"between": readers[0]}
    for part, these in (("attention", steps[:first]), ("mlp", steps[first:])):
        if len(these) == 1 and len(these[0].added) == 1:
            names |= _child(part, these[0].added[0][0], these[0], calls)
    return names


def _ways(stream: Tensor, since: int, y: Tensor, calls: list[Call]) -> Iterator[tuple[_Step, ...]]:
    """Yield the ways in which sums lead from the stream, there ``since``, to what leaves the block."""
    places = [(call.x, call.start, call) for call in calls if call.start > since and call.x is not None]
    for total, until, reader in [*places, (y, max((call.end for call in calls), default=0) + 1, None)]:
        outputs = [call for call in calls if call.start > since and call.end < until and call.y is not None]
        if not (added := _sum(total, stream, outputs)):
            continue
        step = stream, since, until, added
        if reader is None:
            yield (_Step(*step, None),)
            continue
        yield from ((_Step(*step, None), *rest) for rest in _ways(total, until - 1, y, calls))
        if is_norm(reader.module) and reader.y is not None:
            normed = _Step(*step, reader)
            if torch.equal(reader.y, y):
                yield (normed,)
            yield from ((normed, *rest) for rest in _ways(reader.y, reader.end, y, calls))


def _sum(total: Tensor, stream: Tensor, outputs: list[Call]) -> tuple[tuple[Call, float], ...]:
    """Find the outputs, one or two, that with the stream make up the total: as they are, else times factors."""
    if not outputs:
        return ()
    stream, total = stream.flatten().double(), total.flatten().double()
    added = torch.stack([call.y.flatten() for call in outputs]).double()
    if not (torch.isfinite(total).all() and torch.isfinite(added).all()):
        return ()  # nothing adds up to NaN; who reads the stream says where it is
    update, eps = total - stream, torch.finfo(outputs[0].y.dtype).eps
    size = stream.abs() + total.abs()

    def fits(terms: Tensor) -> Tensor:  # (choice, term, entry)
        rest = (update - terms.sum(1)).abs()
        return (rest <= _FEW * eps * (size + terms.abs().sum(1))).all(1)

    products, target = added @ added.T, added @ update
    pairs = torch.combinations(torch.arange(len(outputs)))
    for chosen in (torch.arange(len(outputs))[:, None], pairs):
        gram = products[chosen[:, :, None], chosen[:, None, :]]
        fitted = torch.linalg.lstsq(gram, target[chosen], driver="gelsd").solution if len(chosen) else target[chosen]
        for factors in (torch.ones_like(fitted), fitted):
            likely = fits(factors[:, :, None] * added[chosen]) & (factors.abs() > 1e-3).all(1)
            for index in likely.nonzero().flatten().tolist():
                return tuple((outputs[i], float(f)) for i, f in zip(chosen[index], factors[index], strict=True))
    return ()


def _readers(step: _Step, calls: list[Call]) -> list[Call]:
    return [c for c in calls if step.since < c.start and c.x is not None and torch.equal(c.x, step.stream)]


def _outermost(step: _Step, calls: list[Call]) -> list[Call]:
    within = [call for call in calls if step.since < call.start and call.end < step.until]
    return [call for call in within if not any(one.start < call.start and call.end < one.end for one in within)]


def _mixes(call: Call, tokens: int) -> bool:
    """Say whether a module mixes tokens: whether it makes something else of the last token when that comes alone."""
    if call.output is None:
        return True
    if call.x is not None and call.y is not None and torch.equal(call.x, call.y):
        return False  # dropout at rest: what it gave may have been changed in place since

    def last(value: Any) -> Any:
        if isinstance(value, Tensor) and value.shape[:2] == (1, tokens):
            return value[:, -1:]
        return value[-1:] if isinstance(value, Tensor) and value.shape[:1] == (tokens,) else value

    try:
        kwargs = {name: last(value) for name, value in call.kwargs.items()}
        alone = leaving(call.module(*map(last, call.args), **kwargs))
    except Exception:  # a mask or positions that no longer fit: only what mixes tokens is given any
        return True
    together, tolerance = last(call.output), 1e-4 if call.output.dtype == torch.float32 else 1e-2
    if not isinstance(alone, Tensor) or alone.numel() != together.numel():
        return True
    return bool((alone.reshape(together.shape) - together).norm() > tolerance * together.norm())


def _child(part: str, call: Call, step: _Step, calls: list[Call]) -> dict[str, Any]:
    """Name the child of the block that made an output out of the stream; empty where that is no one module."""
    if is_norm(call.module):
        call = next((c for c in calls if c.y is not None and call.x is not None and torch.equal(c.y, call.x)), call)
    reads = [step.stream, *(c.y for c in _readers(step, calls) if is_norm(c.module) and c.y is not None)]
    from_stream = call.x is not None and any(torch.equal(call.x, state) for state in reads)
    found = from_stream and "." not in call.name
    return {part: call.name, f"{part}_returns": call.returns} if found else {}


def _matrix(call: Call, factor: float, calls: list[Call]) -> str | None:
    """Name the matrix whose output this is, as it is."""
    same = [c for c in calls if factor == 1 and c.y is not None and torch.equal(c.y, call.y)]
    weights = [(c.name, getattr(c.module, "weight", None)) for c in same if not list(c.module.children())]
    return next((name for name, weight in weights if isinstance(weight, Tensor) and weight.ndim == 2), None)


def _as_stream(state: Tensor | None, x: Tensor) -> Tensor | None:
    """Return a state in the stream's shape; None for one of another size."""
    same = state is not None and state.numel() == x.numel() and state.shape[-1] == x.shape[-1]
    return state.reshape(x.shape) if same and state.is_floating_point() else None
