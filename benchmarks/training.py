"""Measure what the book promises of training: tokens a second against transformers.Trainer, and what a penalty costs.

    python benchmarks/training.py       # prints; benchmarks/run.py writes the table

All variants train in turns, one step each, in one process: whatever else the machine does meets all of them alike.
On a CPU one thread works and its processor time is taken, which waiting for other programs is no part of.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator

import torch

ROUNDS = {"pocket": 40, "mini": 12}
BATCH, LENGTH = 8, 256
PENALTIES = ("cosine", "mse")


def training() -> list[tuple]:
    """Time steps of two models: by the Trainer, by our loop, with another engine, with penalties."""
    if not torch.cuda.is_available():
        torch.set_num_threads(1)
    rows = []
    other = {"compile": True} if torch.cuda.is_available() else {"linear": "torch"}
    word = "{}={!r}".format(*next(iter(other.items())))
    for preset, rounds in ROUNDS.items():
        seconds = steps_in_turns(preset, rounds, other)
        theirs, plain = (statistics.median(seconds[name]) for name in ("Trainer", "plain"))
        where = f"{preset}, {BATCH} x {LENGTH} tokens a step, {precision()}, median of {rounds} steps in turns"
        for name, how, bar in (("plain", "the defaults", ">= 1.15"), ("other", word, "none")):
            ratio = ratio_of(seconds["Trainer"], seconds[name])
            detail = f"{where}; {theirs:.3f} s against {statistics.median(seconds[name]):.3f} s a step"
            met = "-" if bar == "none" else "yes" if ratio >= 1.15 else "no"
            figure = f"tokens a second against transformers.Trainer, {preset}, {how}"
            rows.append((figure, f"{ratio:.2f}", bar, met, detail))
        for kind in PENALTIES:
            ratio = ratio_of(seconds[kind], seconds["plain"])
            detail = f"{where}; {statistics.median(seconds[kind]):.3f} s against {plain:.3f} s a step"
            figure = f"time of a step with the {kind} penalty against without, {preset}"
            rows.append((figure, f"{ratio:.3f}", "<= 1.05", "yes" if ratio <= 1.05 else "no", detail))
    return rows


def steps_in_turns(preset: str, rounds: int, other: dict[str, object]) -> dict[str, list[float]]:
    """Return the seconds of every step of every variant; each round is a step of the Trainer, then one of each loop."""
    from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments
    from transformers.utils import logging

    from linstudy.train import PRESETS, Penalty

    logging.set_verbosity_error()
    shape = PRESETS[preset].shape()
    draw = torch.Generator().manual_seed(0)
    blocks = torch.randint(0, shape.vocab_size, (BATCH * (rounds + 2), LENGTH), generator=draw)
    variants = {"plain": {}, "other": other} | {kind: {"penalty": Penalty(kind, 0.5)} for kind in PENALTIES}
    loops = {name: steps_of(shape, blocks, rounds + 1, options) for name, options in variants.items()}
    for loop in loops.values():
        next(loop)  # what is done once is not timed
    seconds: dict[str, list[float]] = {name: [] for name in ("Trainer", *loops)}

    class Turns(TrainerCallback):
        started = None

        def on_step_end(self, *args: object, **kwargs: object) -> None:
            if self.started is not None:
                seconds["Trainer"].append(now() - self.started)
                for name, loop in loops.items():
                    started = now()
                    next(loop)
                    seconds[name].append(now() - started)
            self.started = now()

    with tempfile.TemporaryDirectory() as folder:
        settings = TrainingArguments(
            output_dir=folder,
            max_steps=rounds + 1,
            per_device_train_batch_size=BATCH,
            learning_rate=1e-3,
            lr_scheduler_type="cosine",
            warmup_steps=1,
            weight_decay=0.1,
            bf16=precision() == "bfloat16",
            use_cpu=not torch.cuda.is_available(),
            dataloader_pin_memory=torch.cuda.is_available(),
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
        )
        data = [{"input_ids": block, "labels": block} for block in blocks]
        trainer = Trainer(model=model_of(shape), args=settings, train_dataset=data, callbacks=[Turns()])
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    return seconds


def steps_of(shape: object, blocks: torch.Tensor, steps: int, options: dict[str, object]) -> Iterator[dict]:
    from linstudy.train import Recipe, pretrain

    model = model_of(shape).to("cuda" if torch.cuda.is_available() else "cpu")
    recipe = Recipe(steps=steps, batch=BATCH, peak_rate=1e-3, warmup=1, log_every=1, **options)
    return pretrain(model, blocks, recipe)


def model_of(shape: object) -> torch.nn.Module:
    from transformers import MistralForCausalLM

    torch.manual_seed(0)
    return MistralForCausalLM(shape)


def ratio_of(some: list[float], others: list[float]) -> float:
    """Return the median of the ratios of steps that ran next to each other."""
    return statistics.median(one / other for one, other in zip(some, others, strict=True))


def precision() -> str:
    """Return what the products are made in: both choose it by the hardware."""
    return "bfloat16" if torch.cuda.is_available() and torch.cuda.get_device_capability() >= (8, 0) else "float32"


def now() -> float:
    if not torch.cuda.is_available():
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


if __name__ == "__main__":
    for figure, value, bar, met, detail in training():
        print(f"{figure:<80} {value:>7}  bar {bar}, met: {met}\n  {detail}")
