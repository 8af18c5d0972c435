"""Fine-tuning as in the paper's Table 1: to classify texts, to prefer one of two, or to go on modelling language."""

import time
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from .config import TrainConfig
from .engines import products
from .objectives import Examples, check, dealt_again, loss_and_accuracy
from .steps import batch_rows, drawn_by, make_optimizer, stop_unless_finite

Row = dict[str, int | float | None]


def finetune(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    examples: Examples,
    *,
    objective: str = "classify",
    steps: int = 200,
    rate: float = 1e-4,
    batch: int = 16,
    seed: int = 0,
    shuffle_labels: bool = False,
    validation: Examples = (),
    length: int = 256,
    weight_decay: float = 0.01,
    log_every: int = 10,
    linear: str = "auto",
) -> Iterator[Row]:
    """Fine-tune all weights of a decoder in place and yield a row every ``log_every`` steps and after the last.

    ``classify``: examples are (text, label) with any number of classes. A linear head reads the state of the last
    token after the final norm and is trained with the model by cross-entropy. The likelihood of label words would do
    too, but not for tokenizers that cut the words to pieces, and not for the reward. ``preference``: examples are
    (chosen, rejected), whole texts; the head gives one number r, and the loss is -log sigmoid(r_chosen - r_rejected)
    (Ouyang et al. 2022, equation 1). ``lm``: the first text of every example, as in pretraining: what more training
    does by itself. The head starts at 0 and is dropped at the end: what is studied is the model.

    Columns: ``step``, ``examples`` (seen), ``training_loss`` (nats; of a token for ``lm``, else of an example),
    ``training_accuracy`` (of pairs ranked right for ``preference``; None for ``lm``), ``validation_loss`` and
    ``validation_accuracy`` (of the ``validation`` examples; in the last row alone), ``rate``, ``gradient_norm``,
    ``examples_per_second``. While a row is out, the model may be measured.

    Args:
        model: a decoder with float32 weights.
        tokenizer: the model's own.
        examples: gone through in an order that the seed decides, anew every time.
        objective: classify, preference or lm.
        steps: updates of the weights; the rate rises in the first tenth and falls to a tenth by half a cosine.
        rate: largest learning rate. Some 1e-5 for a large model, 1e-3 for a pocket one.
        batch: examples a step.
        seed: decides the order, dropout, and which labels are exchanged.
        shuffle_labels: the control: the same texts, with their labels dealt out again by chance.
        validation: examples to measure on at the end; their labels stay as they are.
        length: tokens of a text that are read, the last ones: questions stand at the end.
        weight_decay: on matrices alone.
        log_every: steps a row.
        linear: see :class:`TrainConfig`.

    Raises:
        ValueError: the objective, the examples or the weights are not what can be trained on.
        FloatingPointError: the loss or the gradient is no longer finite.

    """
    classes = check(model, examples, validation, objective, batch, shuffle_labels)
    config = TrainConfig(
        steps=steps,
        batch=batch,
        peak_rate=rate,
        warmup=steps // 10,
        weight_decay=weight_decay,
        seed=seed,
        log_every=log_every,
        validate_every=log_every,
        checkpoint_every=log_every,
    )
    dealt = dealt_again(examples, objective, seed) if shuffle_labels else list(examples)
    head = None
    if objective != "lm":
        outputs = len(classes) if objective == "classify" else 1
        head = nn.Linear(model.config.get_text_config().hidden_size, outputs, device=model.device)
        nn.init.zeros_(head.weight)
        nn.init.zeros_(head.bias)
    optimizer = make_optimizer(nn.ModuleList([model, *([head] if head else [])]), config)

    def measured(chosen: Examples) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
        return loss_and_accuracy(model, head, tokenizer, chosen, classes, length)

    with products(model, linear):
        model.train()
        recent: list[Tensor] = []
        clock = time.perf_counter()
        for step in range(1, steps + 1):
            for group in optimizer.param_groups:
                group["lr"] = config.rate(step)
            with drawn_by(model.device, seed, step):
                loss, accuracy = measured([dealt[row] for row in batch_rows(len(dealt), config, step)])
                loss.backward()
            norm = nn.utils.clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            recent.append(torch.stack([loss.detach(), accuracy, norm]))
            if step % log_every and step < steps:
                continue
            numbers = torch.stack(recent).cpu()
            seconds = time.perf_counter() - clock
            stop_unless_finite(numbers[:, [0, 2]], step, "try a lower rate")
            training_loss, training_accuracy, gradient_norm = numbers.mean(dim=0).tolist()
            row: Row = {
                "step": step,
                "examples": step * batch,
                "training_loss": training_loss,
                "training_accuracy": training_accuracy if head else None,
                "validation_loss": None,
                "validation_accuracy": None,
                "rate": config.rate(step),
                "gradient_norm": gradient_norm,
                "examples_per_second": len(recent) * batch / seconds,
            }
            if step == steps and validation:
                model.eval()
                with torch.no_grad():
                    parts = [validation[start : start + batch] for start in range(0, len(validation), batch)]
                    found = [torch.stack(measured(part)) * len(part) for part in parts]
                loss_then, accuracy_then = (torch.stack(found).sum(dim=0) / len(validation)).tolist()
                row |= {"validation_loss": loss_then, "validation_accuracy": accuracy_then if head else None}
            yield row
            recent.clear()
            model.train()
            clock = time.perf_counter()
    model.eval()
