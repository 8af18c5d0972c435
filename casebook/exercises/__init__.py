"""The exercises' checks: each looks at an answer and returns a hint, or nothing when the answer is right."""

from .asking import check, hint
