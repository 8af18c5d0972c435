"""Let a model choose without having been trained to: the choice it finds likeliest after the question."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from linstudy.models import positions

from .padding import by_length, padded

# what is asked, what can be answered, and the place of the right answer (from 0)
Choice = tuple[str, Sequence[str], int]


def zero_shot(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Choice],
    *,
    batch_size: int = 16,
) -> pd.DataFrame:
    """Score how often the likeliest choice is the right one, as lm-evaluation-harness does for tasks of this form.

    ``examples`` are (context, choices, label), the label counted from 0; a blank stands between context and choice;
    ``batch_size`` choices are read at once.

    Returns one row a predictor, with columns ``predictor``, ``accuracy`` in [0, 1], ``standard_error`` (by the number
    of examples) and ``examples``. The predictors: ``likelihood`` (the harness's acc) takes the choice of highest log
    likelihood; ``likelihood per character`` (acc_norm) divides it by the choice's length; ``constant`` always answers
    with the commonest label. Raises ValueError for no example, an example without two choices, with an empty one or
    with a label that is none of them, and for one that is longer than the model has positions (it names the example).
    """
    checked(examples)
    flat = [(context, f" {choice}") for context, choices, _ in examples for choice in choices]
    lengths = np.array([len(choice) for _, choices, _ in examples for choice in choices])
    scores = np.array(log_likelihoods(model, tokenizer, flat, batch_size=batch_size))
    ends = np.cumsum([len(choices) for _, choices, _ in examples])[:-1]
    labels = np.array([label for _, _, label in examples])
    common = Counter(labels.tolist()).most_common(1)[0][0]
    predictors = {
        "likelihood": [int(each.argmax()) for each in np.split(scores, ends)],
        "likelihood per character": [int(each.argmax()) for each in np.split(scores / lengths, ends)],
        "constant": [common] * len(labels),
    }
    rows = [{"predictor": name} | accuracy(labels == np.array(chosen)) for name, chosen in predictors.items()]
    return pd.DataFrame(rows)


@torch.no_grad()
def log_likelihoods(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[tuple[str, str]],
    *,
    batch_size: int = 16,
) -> list[float]:
    """Return the log likelihood, in nats, of each continuation after its context, whose last blanks belong to it."""
    encoded = [_encode(tokenizer, *pair) for pair in pairs]
    room = positions(model)
    for number, (ids, _) in enumerate(encoded, start=1):
        if len(ids) - 1 > room:  # the last token is predicted, not read
            raise ValueError(
                f"The context that begins {pairs[number - 1][0][:40]!r} has {len(ids)} tokens with its choice and the "
                f"model {room} positions: give shorter contexts, or a model with more."
            )
    found = [0.0] * len(encoded)
    for some in by_length([ids for ids, _ in encoded], batch_size):
        ids, mask = padded([encoded[place][0] for place in some], model.device)
        logits = model(ids[:, :-1], attention_mask=mask[:, :-1], use_cache=False).logits
        log_p = logits.float().log_softmax(-1).gather(2, ids[:, 1:, None])[..., 0]
        for place, row in zip(some, log_p.double().cpu(), strict=True):
            whole, begins = encoded[place]
            found[place] = float(row[begins - 1 : len(whole) - 1].sum())
    return found


def accuracy(right: np.ndarray) -> dict[str, float | int]:
    """Return the share of what is right, its standard error (NaN for one example), and how many there were."""
    share, n = float(np.mean(right)), len(right)
    return {
        "accuracy": share,
        "standard_error": math.sqrt(share * (1 - share) / (n - 1)) if n > 1 else math.nan,
        "examples": n,
    }


def checked(examples: Sequence[Choice]) -> None:
    """Raise ValueError unless every example has two choices, none empty, and a label among them."""
    if not examples:
        raise ValueError("There is no example to choose in: give at least one (context, choices, label).")
    for number, (_, choices, label) in enumerate(examples, start=1):
        if len(choices) < 2 or not all(choices):
            raise ValueError(f"Example {number} has the choices {list(choices)}: give two or more, none of them empty.")
        if not 0 <= label < len(choices):
            raise ValueError(
                f"Example {number} has the label {label} and {len(choices)} choices: give the place of the right one, "
                f"from 0 to {len(choices) - 1}."
            )


def _encode(tokenizer: PreTrainedTokenizerBase, context: str, continuation: str) -> tuple[list[int], int]:
    """Return the tokens of both together, and where those of the continuation begin."""
    bare = context.rstrip()
    continuation = context[len(bare) :] + continuation
    if bare:
        whole, before = (tokenizer(text, verbose=False)["input_ids"] for text in (bare + continuation, bare))
        return whole, len(before)
    start = next(i for i in (tokenizer.bos_token_id, tokenizer.eos_token_id, 0) if i is not None)
    return [start, *tokenizer(continuation, add_special_tokens=False, verbose=False)["input_ids"]], 1
