"""What fine-tuning makes smaller: a loss on labelled texts, on pairs of texts, or on the tokens of a text."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ..models.families import family_of
from .steps import check_float32, precision

OBJECTIVES = ("classify", "preference", "lm")
Examples = Sequence[tuple[str, str | int]]


def loss_and_accuracy(
    model: PreTrainedModel,
    head: nn.Linear | None,
    tokenizer: PreTrainedTokenizerBase,
    examples: Examples,
    classes: list[str | int],
    length: int,
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Return the mean loss of some examples and the share that is got right; without a head, of language modelling."""
    firsts, seconds = zip(*examples, strict=True)
    if head is None:
        ids, ends = batch_of(firsts, tokenizer, length)
        targets = ids.masked_fill(torch.arange(ids.shape[1]) > ends[:, None], -100)[:, 1:]
        with precision(model.device):
            logits = model(input_ids=ids.to(model.device), use_cache=False).logits[:, :-1]
            nats = F.cross_entropy(logits.flatten(0, 1), targets.flatten().to(model.device))
        return nats, torch.zeros_like(nats)
    pairs = not classes
    ids, ends = (
        tensor.to(model.device) for tensor in batch_of(firsts + seconds if pairs else firsts, tokenizer, length)
    )
    with precision(model.device):
        states = model.base_model(input_ids=ids, use_cache=False).last_hidden_state
    scores = head(states[torch.arange(len(ends), device=ends.device), ends].float())
    if pairs:
        margins = scores[: len(examples), 0] - scores[len(examples) :, 0]
        # Two texts whose difference was cut off are the same to the model: half of such guesses are right.
        return -F.logsigmoid(margins).mean(), ((margins > 0).float() + 0.5 * (margins == 0)).mean()
    labels = torch.tensor([classes.index(label) for label in seconds], device=model.device)
    return F.cross_entropy(scores, labels), (scores.argmax(-1) == labels).float().mean()


def batch_of(
    texts: Sequence[str], tokenizer: PreTrainedTokenizerBase, length: int
) -> tuple[Int[Tensor, "text token"], Int[Tensor, " text"]]:
    """Return the last ``length`` tokens of each text, filled up on the right, where no decoder looks, and its end."""
    encoded = tokenizer(list(texts), add_special_tokens=False, return_attention_mask=False, verbose=False)["input_ids"]
    if not all(encoded):
        raise ValueError(f"the text {texts[encoded.index([])]!r} has no tokens; leave it out")
    encoded = [ids[-length:] for ids in encoded]
    longest = max(map(len, encoded))
    # With the text's own last token: a padding token would have the library warn of a missing mask.
    filled = [ids + ids[-1:] * (longest - len(ids)) for ids in encoded]
    return torch.tensor(filled), torch.tensor([len(ids) - 1 for ids in encoded])


def dealt_again(examples: Examples, objective: str, seed: int) -> Examples:
    """Return the same texts with labels that belong to others; of pairs, chosen and rejected by the toss of a coin."""
    chance = np.random.default_rng((seed, len(examples)))
    if objective == "preference":
        tosses = chance.random(len(examples)) < 0.5
        return [pair[::-1] if heads else pair for pair, heads in zip(examples, tosses, strict=True)]
    order = chance.permutation(len(examples))
    return [(text, examples[other][1]) for (text, _), other in zip(examples, order, strict=True)]


def check(
    model: PreTrainedModel,
    examples: Examples,
    validation: Examples,
    objective: str,
    batch: int,
    shuffle_labels: bool,
) -> list[str | int]:
    """Refuse what cannot be trained on; return the classes, in order, and none where there are no labels."""
    if objective not in OBJECTIVES:
        raise ValueError(f"the objective is {objective!r}; it must be {', '.join(OBJECTIVES)}")
    if family_of(model).task != "causal":
        raise ValueError(f"a {model.config.model_type!r} model is no decoder: its last token has not read the others")
    check_float32(model)
    if shuffle_labels and objective == "lm":
        raise ValueError("objective='lm' has no labels to shuffle; leave shuffle_labels out")
    if len(examples) < batch:
        raise ValueError(f"a step takes {batch} examples, but there are {len(examples)}; give more or a smaller batch")
    for first, second in (*examples, *validation):
        if objective == "preference" and not isinstance(second, str):
            raise ValueError(f"the example {(first, second)!r} is no pair of texts: give (chosen, rejected)")
    if objective != "classify":
        return []
    classes = sorted({label for _, label in examples})
    if len(classes) < 2:
        raise ValueError(f"all examples have the label {classes[0]!r}; give some of another")
    if unknown := {label for _, label in validation} - set(classes):
        raise ValueError(f"a validation example has the label {unknown.pop()!r}, which no training example has")
    return classes
