"""What measuring large models takes, on paper; and the same count for three models that are here, beside the clock.

python benchmarks/scale.py          # writes results/scale.csv and results/scale-checked.csv
"""

import time
from pathlib import Path
from statistics import median

import pandas as pd
import torch
from counts import LARGE, Shape, counted, needed

from casebook.reach import BESIDE
from linstudy import linearity_profile, load, token_blocks
from linstudy.models import blocks, width_of
from linstudy.study.provenance import provenance

RESULTS = Path(__file__).parent / "results"
HERE = ("minilm", "smollm2-135m", "gemma3-270m")
TOKENS, LENGTH, TURNS = 1024, 256, 3
PARTS = ("forward", "products", "solving")
# Dense peaks that NVIDIA prints for an H100 (SXM), operations a second: the model in bfloat16, products in float32
# outside the matrix units, as ours are, solving in float64.
H100 = {"forward": 989e12, "products": 67e12, "solving": 34e12}
MEMORY, RANKS = 64 * 10**9, 8  # bytes for moments beside the model; processes


def shape_of(model: torch.nn.Module) -> Shape:
    """Count the matrices inside the blocks of a model."""
    config, inside = model.config, blocks(model)
    weights = sum(p.numel() for block in inside for p in block.parameters() if p.ndim == 2)
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return Shape(len(inside), width_of(model), weights, config.num_attention_heads * head)


def matrix_rate(dtype: torch.dtype, size: int = 1024) -> float:
    """Return operations a second of processor time in a product of two matrices."""
    a = torch.randn(size, size, dtype=dtype)
    started = time.process_time()
    for _ in range(4):
        a @ a
    return 4 * 2 * size**3 / (time.process_time() - started)


def checked(name: str) -> dict[str, object]:
    """Measure a model in turns with products of matrices: processor time by the count and by the clock."""
    model, tokenizer = load(name, device="cpu", dtype="float32")
    text = token_blocks(BESIDE / "data" / "wikitext-2-valid.txt", tokenizer, tokens=TOKENS, length=LENGTH)
    shape = shape_of(model)
    counts = counted(shape, length=LENGTH, tokens=TOKENS)
    turns = []
    for _ in range(TURNS):
        single, double = matrix_rate(torch.float32), matrix_rate(torch.float64)
        started = time.process_time()
        linearity_profile(model, text, progress=False)
        seconds = time.process_time() - started
        paper = (counts["forward"] + counts["products"]) / single + counts["solving"] / double
        turns.append((paper / seconds, seconds))
    share = median(one for one, _ in turns)
    return {
        "model": name,
        "layers": shape.layers,
        "width": shape.width,
        "weights": shape.weights,
        "counted, 10⁹ operations": round(sum(counts[part] for part in PARTS) / 1e9),
        "by the clock, s": round(median(seconds for _, seconds in turns), 1),
        "on paper / by the clock": round(share, 2),
        "range of the turns": f"{min(turns)[0]:.2f} to {max(turns)[0]:.2f}",
    }


def on_paper(share: float) -> pd.DataFrame:
    """Return what large models take, at the share of the peak rate that was reached here."""
    rows = []
    for name, shape in LARGE.items():
        counts = counted(shape)
        rates = {part: share * peak for part, peak in H100.items()}
        takes = needed(counts, rates, layers=shape.layers, memory=MEMORY, ranks=RANKS)
        rows.append(
            {
                "model": name,
                "tokens": f"{counts['tokens']:,}",
                "forward, 10¹⁵": f"{counts['forward'] / 1e15:,.1f}",
                "moments, 10¹⁵": f"{counts['products'] / 1e15:,.1f}",
                "maps, 10¹⁵": f"{counts['solving'] / 1e15:,.2f}",
                "moments, GB": f"{counts['bytes'] / 1e9:,.1f}",
                "passes": takes["passes"],
                "sent a process, GB": f"{takes['sent'] / 1e9:,.1f}",
                "GPU-hours": f"{takes['hours']:.2f}",
            }
        )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    made = provenance(command=["python", "benchmarks/scale.py"], minutes=0.0)
    made = {name: made[name] for name in ("date", "commit", "versions", "hardware")}
    here = pd.DataFrame([checked(name) for name in HERE])
    here.assign(**made).to_csv(RESULTS / "scale-checked.csv", index=False)
    table = on_paper(here["on paper / by the clock"].min())
    table.to_csv(RESULTS / "scale.csv", index=False)
    print(here.to_string(), table.to_string(), sep="\n")
