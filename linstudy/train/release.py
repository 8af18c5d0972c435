"""The released command: from a text to a folder with a trained model, its tokenizer and the table of its run."""

import json
import platform
from contextlib import nullcontext
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import torch
from transformers import MistralForCausalLM, PreTrainedTokenizerBase

from ..evaluate import bits_per_byte
from ..files import locked, put, workshop, written_whole
from ..hub import quiet
from .presets import Preset, make_model, preset_named
from .pretrain import pretrain
from .processes import processes
from .recipe import Recipe
from .rows import COLUMNS, minutes, read_rows, with_bar, write_rows
from .texts import draw, parts, shown

# The text begins with tokens that are never trained on, a tenth of the run and at most so many: whoever draws up to so
# many tokens of a pocket model's own text with the same seed measures it on text it has not seen.
HELD_OUT = 262_144
VALIDATED = 32_768  # of these tokens give the loss to about 0.01 nats
MADE_WITH = ("linstudy", "torch", "transformers", "tokenizers", "accelerate")


def pretrain_to(
    folder: str | Path,
    preset: Preset | str = "pocket",
    recipe: Recipe | None = None,
    *,
    text: str = "stories",
    distinct: int | None = None,
) -> Path:
    """Pretrain a model and save it to a folder in the hub's format, which any library loads.

    The folder gets ``config.json``, ``model.safetensors`` (bfloat16), the tokenizer's files, ``training.csv`` (the
    rows of ``pretrain``, written as they come) and ``provenance.json``. The same call made again after an interruption
    goes on from ``folder/checkpoint``, where the snapshots are too; one with another recipe is refused there. Under
    ``accelerate launch`` the steps are shared out and the first process writes.

    Args:
        folder: made with the first row, where it is not there.
        preset: one of :data:`PRESETS` by its name, or with changes (:func:`preset_named`): the model's shape, the
            vocabulary of the tokenizer, which is trained on the text, and the length of a block.
        recipe: by default the preset's own, ``preset.recipe()``. Its seed draws the text, too, and the first weights.
        text: a corpus by name, the path of a text file, or several with ``+`` between, a document of each in turns.
        distinct: how many different tokens are drawn, held-out ones too, to be gone through again and again; for a
            text that has fewer than the run sees.

    Raises FileExistsError for a folder that holds something else, BlockingIOError where another process trains there,
    and what :func:`linstudy.train.descend` and the disk raise.
    """
    preset = preset_named(preset) if isinstance(preset, str) else preset
    recipe = recipe or preset.recipe()
    folder, first = Path(folder), processes().is_main_process
    if not _free(folder):
        raise FileExistsError(f"{folder} holds something that no pretraining wrote: give a new folder, or delete this")
    with locked(folder, wait=False) if first else nullcontext():
        _run(folder, preset, recipe, text=text, distinct=distinct)
    processes().wait_for_everyone()  # a process that ends while the first one writes would end that, too
    return folder


def _run(folder: Path, preset: Preset, recipe: Recipe, *, text: str, distinct: int | None) -> None:
    """Draw the text, train, and write down what came of it."""
    first, name = processes().is_main_process, name_of(text, preset.size, recipe)
    count = recipe.steps * recipe.batch if distinct is None else distinct // preset.length
    heldout = min(HELD_OUT // preset.length, -(-count // 10))
    fresh = count if distinct is None else count - heldout
    tokenizer, validation, blocks = draw(text, preset, blocks=fresh, heldout=heldout, seed=recipe.seed)
    validation = validation[: max(VALIDATED // preset.length, 1)]
    model = make_model(tokenizer, preset, seed=recipe.seed).to("cuda" if torch.cuda.is_available() else "cpu")

    rows = pretrain(model, blocks, recipe, folder=folder / "checkpoint", validation=validation)
    if not first:
        for _ in rows:  # this process's share of every step
            pass
        return
    write_rows(folder / "training.csv", with_bar(rows, steps=recipe.steps, name=name))
    export(folder, model, tokenizer)
    table = read_rows(folder / "training.csv")
    nats = float(table[-1]["validation_nats"])
    asked = {"name": name, "preset": preset.name, "text": shown(text), "steps": recipe.steps, "distinct": distinct}
    shape = {"vocab_size": preset.vocab_size, "layers": model.config.num_hidden_layers, "length": preset.length}
    came = {"tokens": int(table[-1]["tokens"]), "validation_nats": nats, "minutes": minutes(table)}
    came |= {"bits_per_byte": round(bits_per_byte(nats, validation, tokenizer), 6)}
    where = {"processes": processes().num_processes, "threads": torch.get_num_threads()}
    versions = {package: version(package) for package in MADE_WITH} | {"python": platform.python_version()}
    made = asked | {"config": asdict(recipe)} | shape | came | where | {"versions": versions}
    with written_whole(folder / "provenance.json") as path:
        path.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")


def name_of(text: str, size: str, recipe: Recipe) -> str:
    """Name a model by its text, its size and what is special: stories-1m, stories-1m-cosine, stories-1m-2-layers."""
    special = [recipe.penalty and recipe.penalty.kind, recipe.scaling and recipe.scaling.where]
    return "-".join([*(Path(part).stem for part in parts(text)), size, *filter(None, special)])


def export(folder: Path, model: MistralForCausalLM, tokenizer: PreTrainedTokenizerBase) -> None:
    """Save model, in bfloat16, and tokenizer in the hub's format, each file whole."""
    tokenizer.model_max_length = model.config.max_position_embeddings
    with workshop(folder / "model.safetensors") as unfinished:
        with quiet():
            model.cpu().to(torch.bfloat16).save_pretrained(unfinished)
            tokenizer.save_pretrained(unfinished)
        # transformers 5 writes a class that transformers 4 does not know, and reads this one as well; and without the
        # names, transformers 4 gives token types, which the model refuses.
        settings = unfinished / "tokenizer_config.json"
        for_both = {"tokenizer_class": "PreTrainedTokenizerFast", "model_input_names": ["input_ids", "attention_mask"]}
        both = json.loads(settings.read_text(encoding="utf-8")) | for_both
        settings.write_text(json.dumps(both, indent=2) + "\n", encoding="utf-8")
        for file in unfinished.iterdir():
            put(file, folder / file.name)


def _free(folder: Path) -> bool:
    """Say whether a run may write there: where there is nothing, or what a run of this command has begun."""
    if not folder.is_dir():
        return not folder.exists()
    table = folder / "training.csv"
    if table.is_file():
        with table.open("rb") as file:
            return file.readline().startswith(",".join(COLUMNS[:2]).encode())
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")} <= {"checkpoint"}
