"""What rows are made of: the pocket model, and small models in folders of their own that read the same tokens."""

from casebook.rows.source import Source
from linstudy import load
from linstudy.models import small_model

POCKET = Source("stories-1m", "abc", "stories-1m", "stories", "stories")


def saved(folder, model=None, **shape):
    """Save a model, or a random llama of this shape, with the pocket model's tokenizer; and return it as a source."""
    pocket, tokenizer = load("stories-1m")
    model = model or small_model("llama", seed=3, vocab_size=pocket.config.vocab_size, **shape)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Source("mine", "0" * 12, folder, "stories", "stories")
