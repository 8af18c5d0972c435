"""Where a measurement stands, kept in a file so that a cut one goes on."""

import hashlib
import json
import os
import time
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from transformers import PreTrainedModel

from ..files import written_whole
from .moments import JointMoments

SECONDS = 60  # between two savings

Found = dict[int, dict[int, JointMoments]]  # by layer and code


@dataclass
class Progress:
    """The finished layers' rows, the batches done of the pass under way, and, on disk, the moments of its layers."""

    path: Path | None = None
    key: str = ""
    batches: int = 0
    rows: list[dict[str, float | int]] = field(default_factory=list)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    last: float = field(default_factory=time.monotonic)

    @classmethod
    def open(cls, path: str | os.PathLike, model: PreTrainedModel, text: list[Tensor], decides: dict[str, Any]):
        """Start, or go on from ``path``. Raises ValueError for a file of another measurement, or a broken one."""
        path, key = Path(path), _fingerprint(model, text, decides)
        if not path.parent.is_dir():
            raise FileNotFoundError(f"{path.parent} is no folder: make it, so that the measurement can be saved there")
        if not path.exists():
            return cls(path, key)
        try:
            with safe_open(path, "pt", device=str(model.device)) as file:
                state = json.loads(file.metadata()["progress"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, KeyError, TypeError) as error:
            raise ValueError(f"{path} holds no measurement to resume ({error}): remove it to start over") from None
        if state.pop("key") != key:
            raise ValueError(
                f"{path} was saved by another measurement (model, text or options differ): "
                "remove it to start over, or resume to another file"
            )
        return cls(path, key, **state, tensors=tensors)

    def moments(self, layers: list[int]) -> Found:
        """Return what was saved of these layers' moments; a pass over other layers is begun again."""
        found: Found = {layer: {} for layer in layers}
        names = [name.split("/") for name in self.tensors if name.endswith("/count")]
        if {int(layer) for layer, _, _ in names} != set(layers):
            self.batches, names = 0, []
        for layer, code, _ in names:
            saved = {f.name: self.tensors[f"{layer}/{code}/{f.name}"] for f in fields(JointMoments)}
            found[int(layer)][int(code)] = JointMoments(**saved)
        self.tensors = {}
        return found

    def after_batch(self, found: Found) -> None:
        """Count a batch, and save when a minute has passed."""
        self.batches += 1
        if self.path and time.monotonic() - self.last > SECONDS:
            each = ((f"{layer}/{code}", one) for layer, codes in found.items() for code, one in codes.items())
            self._save({f"{stem}/{name}": tensor for stem, one in each for name, tensor in one.tensors().items()})

    def after_pass(self) -> None:
        """Save the rows of the layers that are done; their moments are no longer needed."""
        self.batches = 0
        if self.path:
            self._save({})

    def _save(self, tensors: dict[str, Tensor]) -> None:
        state = {"key": self.key, "batches": self.batches, "rows": self.rows}
        with written_whole(self.path) as temporary:
            save_file(tensors, temporary, metadata={"progress": json.dumps(state)})
        self.last = time.monotonic()


def _fingerprint(model: PreTrainedModel, text: list[Tensor], decides: dict[str, Any]) -> str:
    """Hash everything that decides the numbers; of large weights, a thousand of each."""
    digest = hashlib.sha256(json.dumps(decides, sort_keys=True).encode())
    for ids in text:  # and which of them are measured, where that was chosen
        digest.update(ids.cpu().numpy().tobytes())
    for name, weight in model.state_dict().items():
        sample = weight.flatten()[:: max(1, weight.numel() // 1000)]
        digest.update(name.encode() + sample.double().cpu().numpy().tobytes())
    return digest.hexdigest()
