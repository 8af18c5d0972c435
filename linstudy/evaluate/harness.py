"""SuperGLUE and StoryCloze as in the paper's Table 2, through lm-evaluation-harness, which is an extra."""

import os
from collections import Counter
from collections.abc import Sequence

import pandas as pd
from transformers import PreTrainedModel, PreTrainedTokenizerBase

# the paper's columns, by their names in the harness; zero-shot, on the validation splits
TASKS = ("boolq", "cb", "copa", "multirc", "record", "sglue_rte", "wic", "xstorycloze_en")


def harness(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    *,
    tasks: Sequence[str] = TASKS,
    folder: str | os.PathLike | None = None,
    limit: int | None = None,
    batch_size: int = 8,
) -> pd.DataFrame:
    """Score a model zero-shot on tasks of lm-evaluation-harness, with the constant predictor beside each accuracy.

    ``tasks`` go by the harness's names; those of the paper's Table 2 are downloaded from the hub when first used.
    Tasks of one's own are in ``folder``, one YAML file each in the harness's form. ``limit`` is how many examples of
    each task are read, all by default, ``batch_size`` how many choices at once.

    Returns one row a task and metric, with columns ``task``, ``metric``, ``value`` in [0, 1], ``standard_error`` (NaN
    where the harness gives none), ``constant`` (the accuracy of always giving the commonest label, NaN for other
    metrics; a score below it is no skill) and ``examples``. Raises ImportError without the extra, ValueError for tasks
    that the harness does not know, ConnectionError when a task is not on this machine and the hub is away.
    """
    try:
        from lm_eval import simple_evaluate
        from lm_eval.models.huggingface import HFLM
        from lm_eval.tasks import TaskManager
    except ImportError as error:
        raise ImportError(
            f"These tasks are scored by lm-evaluation-harness, which is not here ({error}): "
            "run pip install 'linstudy[harness]', or use linstudy.evaluate.zero_shot on examples of your own."
        ) from error
    manager = TaskManager(include_path=None if folder is None else str(folder))
    unknown = sorted(set(tasks) - set(manager.all_tasks))
    if unknown or not tasks:
        raise ValueError(
            f"The harness has no task {', '.join(map(repr, unknown))}: `lm_eval ls tasks` lists those it has, and "
            "`folder` says where others are."
        )
    seeds = dict.fromkeys(("random_seed", "numpy_random_seed", "torch_random_seed", "fewshot_random_seed"))
    try:
        done = simple_evaluate(
            HFLM(pretrained=model, tokenizer=tokenizer, batch_size=batch_size),
            tasks=list(tasks),
            num_fewshot=0,
            limit=limit,
            bootstrap_iters=1000,
            task_manager=manager,
            **seeds,  # None, each: global random states stay as they are
        )
    except OSError as error:  # what the hub's library raises when it is away
        raise ConnectionError(
            f"The data of {', '.join(tasks)} could not be had from the hub ({error}): try again with a network, or "
            "give tasks of your own in `folder`."
        ) from error
    return pd.DataFrame([row for task in tasks for row in _rows(task, done)])


def _rows(task: str, done: dict) -> list[dict]:
    labels = [str(sample["target"]) for sample in done["samples"][task]]
    constant = Counter(labels).most_common(1)[0][1] / len(labels)
    found = []
    for name, value in done["results"][task].items():
        metric, comma, _ = name.partition(",")  # "acc,none": the metric and the filter of the answers
        if comma and not metric.endswith("_stderr"):
            error = pd.to_numeric(done["results"][task].get(name.replace(",", "_stderr,")), errors="coerce")
            share = constant if metric in ("acc", "acc_norm") else float("nan")
            row = {"task": task, "metric": metric, "value": float(value), "standard_error": error, "constant": share}
            found.append(row | {"examples": len(labels)})
    return found
