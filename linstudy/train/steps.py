"""The parts of one training step that hold for any loss: the optimizer, the precision, the order of the data."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedModel

from .config import TrainConfig


def next_token_nats(model: nn.Module, ids: Int[Tensor, "block token"]) -> Float[Tensor, ""]:
    """Return the mean cross-entropy of every token given those before it, in nats: the loss of a training step."""
    logits = model(input_ids=ids, use_cache=False).logits
    # The targets are moved, not the logits: a slice of the logits would have to be copied, the largest tensor here.
    targets = F.pad(ids[:, 1:], (0, 1), value=-100)
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)


def make_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.AdamW:
    """Make AdamW with weight decay on the matrices alone.

    A norm's gain has no reason to be near 0, and an embedding row gets a gradient only when its token comes by:
    decayed at every step, rare tokens would fade for being rare.
    """
    embeddings = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    groups: dict[bool, list[nn.Parameter]] = {True: [], False: []}
    for parameter in model.parameters():
        groups[parameter.ndim >= 2 and id(parameter) not in embeddings].append(parameter)
    return torch.optim.AdamW(
        [
            {"params": groups[True], "weight_decay": config.weight_decay},
            {"params": groups[False], "weight_decay": 0.0},
        ],
        lr=config.peak_rate,
        betas=config.betas,
        fused=True,
    )


def batch_rows(count: int, config: TrainConfig, step: int) -> Int[np.ndarray, " row"]:
    """Return which of the blocks a step sees, decided by seed and step alone: a resumed run needs no generator's state.

    Every epoch is a fresh permutation; the few blocks left over when the batch does not divide it sit that epoch out.
    """
    epoch, place = divmod(step - 1, count // config.batch)
    order = np.random.default_rng((config.seed, epoch)).permutation(count)
    return order[place * config.batch : (place + 1) * config.batch]


def precision(device: torch.device) -> AbstractContextManager:
    """Choose bfloat16 products where the GPU has units for them (compute capability 8 and up), else float32."""
    if device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0):
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return nullcontext()


@contextmanager
def drawn_by(device: torch.device, *key: int) -> Iterator[None]:
    """Let what is drawn inside, dropout for one, be decided by a key, and leave the generators as they were."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(int(np.random.SeedSequence(key).generate_state(1)[0]))
        yield


def check_float32(model: PreTrainedModel) -> None:
    """Refuse weights that small steps would round away."""
    half = {str(p.dtype) for p in model.parameters() if p.dtype != torch.float32}
    if half:
        raise ValueError(f"the weights are {', '.join(sorted(half))}; train in float32, after model.float()")


def stop_unless_finite(losses_and_norms: Float[Tensor, "step 2"], step: int, remedy: str) -> None:
    """Name the first of the steps up to this one whose loss or gradient norm is not finite."""
    broken = (~losses_and_norms.isfinite().all(dim=1)).nonzero().flatten().tolist()
    if broken:
        first = step - len(losses_and_norms) + 1 + broken[0]
        loss, norm = losses_and_norms[broken[0]].tolist()
        raise FloatingPointError(f"at step {first} the loss was {loss:g} and the gradient norm {norm:g}; {remedy}")
