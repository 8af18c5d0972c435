"""Let a model continue stories, and grade what it tells."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor
from transformers import GenerationConfig, LogitsProcessor, PreTrainedModel, PreTrainedTokenizerBase

from linstudy.models import positions
from storyworld import Reference, grade, story_seed, tell, wishes

from .padding import evaluating, padded


@dataclass(frozen=True)
class Sampling:
    """How a model continues a prompt: for how many tokens, how boldly, and by which draws."""

    tokens: int = 320  # nearly all stories end within
    temperature: float = 1.0  # 1 samples what the model believes, 0 takes the likeliest token
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse a temperature below 0."""
        if self.temperature < 0:
            raise ValueError(f"temperature={self.temperature} is negative: give 0 for the likeliest token, or more.")


SAMPLING = Sampling()


def story_beginnings(count: int, *, seed: int = 1) -> list[str]:
    """Return stories up to the event that states their wish, a third of the story or so; training text has seed 0."""
    stories = (tell(story_seed(seed, position)) for position in range(count))
    return [story.text[: next(event.stop for event in story.events if event.kind in wishes())] for story in stories]


def grade_model(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    sampling: Sampling = SAMPLING,
    *,
    prompts: int | Sequence[str] = 100,
    reference: Reference | None = None,
    batch_size: int = 64,
) -> pd.DataFrame:
    """Continue each prompt once and grade the continuations (:func:`storyworld.grade`): one row a prompt.

    ``prompts`` are beginnings of stories, or how many to make (:func:`story_beginnings`). A prompt is read with its
    continuation (what it said must stay true) and not graded. A continuation ends with the end-of-text token, or is
    cut after ``sampling.tokens``. Beyond the length of the blocks it was trained on, counted with the prompt, a model
    falls apart: choose fewer, or train on longer. A row depends on its prompt, its place and the sampling, not on
    ``batch_size``. Copies are looked for in ``reference``.

    Returns columns ``prompt`` (from 1), ``seed``, ``temperature``, ``words``, ``sentences``, ``events``, ``grammar``,
    ``consistency``, ``plot``, ``novelty`` (NaN without ``reference``), ``wish``, ``ending``, ``finished`` (whether the
    model ended the story) and ``text`` (the continuation). Raises ValueError for no prompt, and for tokens the model
    has no positions for.
    """
    texts = story_beginnings(prompts) if isinstance(prompts, int) else list(prompts)
    if not texts:
        raise ValueError("There is no prompt to continue: give at least one beginning of a story.")
    tokens, seed, temperature = sampling.tokens, sampling.seed, sampling.temperature
    encoded = _encode(texts, tokenizer)
    longest, room = max(map(len, encoded)), positions(model)
    if longest + tokens > room:
        raise ValueError(
            f"The longest prompt has {longest} tokens, and tokens={tokens} more do not fit the model's {room} "
            f"positions: ask for tokens={max(room - longest, 0)} or fewer, or give shorter prompts."
        )
    draws = torch.rand(len(texts), tokens, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    rows = []
    for first in range(0, len(texts), batch_size):
        some = slice(first, first + batch_size)
        continued = _continue(model, tokenizer, encoded[some], draws[some], temperature)
        for text, ids in zip(texts[some], continued, strict=True):
            row = {"prompt": len(rows) + 1, "seed": seed, "temperature": temperature}
            rows.append(row | _graded(text, ids, tokenizer, reference))
    return pd.DataFrame(rows)


def _encode(texts: list[str], tokenizer: PreTrainedTokenizerBase) -> list[list[int]]:
    """Return the tokens of each prompt after the token that stands between documents, as in training."""
    start = [i for i in (tokenizer.bos_token_id, tokenizer.eos_token_id) if i is not None][:1]
    return [start + ids for ids in tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]]


def _graded(prompt: str, ids: list[int], tokenizer: PreTrainedTokenizerBase, reference: Reference | None) -> dict:
    end = ids.index(tokenizer.eos_token_id) if tokenizer.eos_token_id in ids else len(ids)
    text = tokenizer.decode(ids[:end], skip_special_tokens=True, clean_up_tokenization_spaces=False)
    given = grade(prompt + text, start=len(prompt), reference=reference)
    columns = ("sentences", "events", "grammar", "consistency", "plot", "novelty", "wish", "ending")
    graded = {column: getattr(given, column) for column in columns}
    return {"words": len(text.split())} | graded | {"finished": end < len(ids), "text": text}


@torch.no_grad()
def _continue(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: list[list[int]],
    draws: Float[Tensor, "prompt token"],
    temperature: float,
) -> list[list[int]]:
    """Return what the model adds to each prompt: tokens up to the end of the text, or as many as there are draws."""
    end = tokenizer.eos_token_id
    filler = 0 if end is None else end
    ids, mask = padded(prompts, model.device, filler=filler, left=True)
    config = GenerationConfig(max_new_tokens=draws.shape[1], do_sample=False, eos_token_id=end, pad_token_id=filler)
    sampling = [_Drawn(draws.to(model.device), temperature)] if temperature else []
    with evaluating(model):
        out = model.generate(ids, attention_mask=mask, generation_config=config, logits_processor=sampling)
    return out[:, ids.shape[1] :].tolist()


class _Drawn(LogitsProcessor):
    """Leave one token a row, drawn by numbers given before: no global random state, and no row decides another."""

    def __init__(self, draws: Tensor, temperature: float):
        self.draws, self.temperature, self.step = draws, temperature, 0

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return scores that are -inf but for the token that the draw falls on."""
        heaps = (scores.double() / self.temperature).softmax(-1).cumsum(-1)
        drawn = torch.searchsorted(heaps, self.draws[:, self.step, None] * heaps[:, -1:], right=True)
        self.step += 1
        drawn = drawn.clamp(max=scores.shape[-1] - 1)
        return torch.full_like(scores, -torch.inf).scatter(1, drawn, 0.0)
