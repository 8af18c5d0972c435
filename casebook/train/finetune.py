"""Fine-tuning as in the paper's Table 1: to classify texts, to prefer one of two, or to go on modelling language."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from linstudy.models import task_of
from linstudy.train.descent import Number, Objective, Rows, descend, precision
from linstudy.train.recipe import Recipe
from linstudy.train.rows import Row

OBJECTIVES = ("classify", "preference", "lm")
TUNING = Recipe(steps=200, peak_rate=1e-4, warmup=20, weight_decay=0.01)
Examples = Sequence[tuple[str, str | int]]


def finetune(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    examples: Examples,
    recipe: Recipe = TUNING,
    *,
    objective: str = "classify",
    validation: Examples = (),
    length: int = 256,
) -> Iterator[Row]:
    """Fine-tune all weights of a decoder in place and yield a row every ``recipe.log_every`` steps and after the last.

    ``classify``: examples are (text, label) with any number of classes. A linear head reads the state of the last
    token after the final norm and is trained with the model by cross-entropy. The likelihood of label words would do
    too, but not for tokenizers that cut the words to pieces, and not for the reward. ``preference``: examples are
    (chosen, rejected), whole texts; the head gives one number r, and the loss is -log sigmoid(r_chosen - r_rejected)
    (Ouyang et al. 2022, equation 1). ``lm``: the first text of every example, as in pretraining: what more training
    does by itself. The head starts at 0 and is dropped at the end: what is studied is the model.

    Columns: ``step``, ``examples`` (seen), ``training_loss`` (nats; of a token for ``lm``, else of an example),
    ``training_accuracy`` (of pairs ranked right for ``preference``; None for ``lm``), ``validation_loss`` and
    ``validation_accuracy`` (of the ``validation`` examples), ``rate``, ``gradient_norm``, ``examples_per_second``.
    While a row is out, the model may be measured.

    Args:
        model: a decoder with float32 weights.
        tokenizer: the model's own.
        examples: gone through in an order that the seed decides, anew every time. Those of :func:`dealt_again` are the
            control: the same texts, with their labels dealt out again by chance.
        recipe: :data:`TUNING` with changes, without a penalty; the peak rate some 1e-5 for a large model, 1e-3 for a
            pocket one.
        objective: classify, preference or lm.
        validation: examples to measure on.
        length: tokens of a text that are read, the last ones: questions stand at the end.

    Raises ValueError for an objective, examples or weights that cannot be trained on, FloatingPointError for a loss or
    gradient that is no longer finite.
    """
    classes = check(model, examples, validation, objective, recipe)
    head = None
    if objective != "lm":
        head = nn.Linear(model.config.get_text_config().hidden_size, len(classes) or 1, device=model.device)
        nn.init.zeros_(head.weight)
        nn.init.zeros_(head.bias)

    def measured(chosen: Examples) -> dict[str, Number]:
        return loss_and_accuracy(model, head, tokenizer, chosen, classes, length)

    def loss(rows: Rows) -> tuple[Number, dict[str, Number]]:
        found = measured([examples[row] for row in rows])
        return found["loss"], {f"training_{name}": value for name, value in found.items()}

    def validate() -> dict[str, float]:
        parts = [validation[start : start + recipe.batch] for start in range(0, len(validation), recipe.batch)]
        found = [{name: value * len(part) for name, value in measured(part).items()} for part in parts]
        return {f"validation_{name}": (sum(one[name] for one in found) / len(validation)).item() for name in found[0]}

    descent = Objective(
        loss=loss,
        count=len(examples),
        unit=("examples", 1),
        columns=("training_loss", "training_accuracy", "validation_loss", "validation_accuracy"),
        validate=validate if validation else None,
    )
    yield from descend(model, descent, recipe, head=head or nn.Identity())


def loss_and_accuracy(
    model: PreTrainedModel,
    head: nn.Linear | None,
    tokenizer: PreTrainedTokenizerBase,
    examples: Examples,
    classes: list[str | int],
    length: int,
) -> dict[str, Number]:
    """Return the mean loss of some examples and the share that is got right; without a head, the loss of tokens."""
    firsts, seconds = zip(*examples, strict=True)
    pairs = head is not None and not classes
    ids, ends = (
        tensor.to(model.device) for tensor in batch_of(firsts + seconds if pairs else firsts, tokenizer, length)
    )
    with precision(model.device):
        if head is None:
            targets = ids.masked_fill(torch.arange(ids.shape[1], device=ids.device) > ends[:, None], -100)[:, 1:]
            logits = model(input_ids=ids, use_cache=False).logits[:, :-1]
            return {"loss": F.cross_entropy(logits.flatten(0, 1), targets.flatten())}
        states = model.base_model(input_ids=ids, use_cache=False).last_hidden_state
    scores = head(states[torch.arange(len(ends), device=ends.device), ends].float())
    if pairs:
        margins = scores[: len(examples), 0] - scores[len(examples) :, 0]
        # Two texts whose difference was cut off are the same to the model: half of such guesses are right.
        right = (margins > 0).float() + 0.5 * (margins == 0)
        return {"loss": -F.logsigmoid(margins).mean(), "accuracy": right.mean()}
    labels = torch.tensor([classes.index(label) for label in seconds], device=model.device)
    return {"loss": F.cross_entropy(scores, labels), "accuracy": (scores.argmax(-1) == labels).float().mean()}


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
    recipe: Recipe,
) -> list[str | int]:
    """Refuse what cannot be learnt; return the classes, in order, and none where there are no labels."""
    if objective not in OBJECTIVES:
        raise ValueError(f"the objective is {objective!r}; it must be {', '.join(OBJECTIVES)}")
    if recipe.penalty is not None:
        raise ValueError("fine-tuning has no penalty: leave it out of the recipe")
    if task_of(model) != "causal":
        raise ValueError(f"a {model.config.model_type!r} model is no decoder: its last token has not read the others")
    if (there := len(examples)) < recipe.batch:
        raise ValueError(f"a step takes {recipe.batch} examples, but there are {there}; give more or a smaller batch")
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
