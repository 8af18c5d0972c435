"""Look at a folder's weights before they are loaded: safetensors, all there and whole."""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open

from ..hub import PICKLES


def check_weights(folder: Path) -> list[Path]:
    """Make sure the folder holds whole safetensors weights, and return their files.

    Raises FileNotFoundError where there are none or a piece is missing, OSError where a file is damaged, ValueError for
    an index that names no files of the folder. Never opens a pickle.
    """
    index = folder / "model.safetensors.index.json"
    if (folder / "model.safetensors").is_file():
        files = ["model.safetensors"]
    elif index.is_file():
        files = _pieces(index)
    elif pickles := sorted(path.name for path in folder.iterdir() if path.suffix in PICKLES):
        raise FileNotFoundError(
            f"{folder} holds its weights as a pickle only ({pickles[0]}), which can run any code when it is loaded: "
            "save the model as model.safetensors where you trust it (model.save_pretrained)"
        )
    else:
        raise FileNotFoundError(
            f"there is no model.safetensors in {folder}: give the folder that model.save_pretrained wrote"
        )
    for name in files:
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{name}, part of the weights in {folder}, is missing: copy or download it again")
        try:
            with safe_open(folder / name, framework="pt"):
                pass
        except (SafetensorError, OSError) as error:
            path = (folder / name).resolve()  # in the hub's cache the folder holds links alone
            size = path.stat().st_size
            raise OSError(
                f"{path} is cut short or damaged ({size} bytes; {error}): delete it, then copy or download it again"
            ) from None
    return [folder / name for name in files]


def _pieces(index: Path) -> list[str]:
    try:
        names = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        if names and all(Path(name).name == name for name in names):  # "../model.safetensors" would leave the folder
            return sorted(names)
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise ValueError(f"{index} does not name the files beside it that hold the weights: copy or download it again")
