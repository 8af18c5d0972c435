"""Hold one labelled example of a task, and keep labels in balance while examples are chosen."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from storyworld.chance import Chance

NO_YES = ("no", "yes")
TRUE_FALSE_NEITHER = ("true", "false", "neither")  # entailment, contradiction, neutral


@dataclass(frozen=True, slots=True)
class Example:
    """A text and choices of which one is right.

    Zero-shot: compare the losses of `choices` after `context`, a blank between. Probing and fine-tuning: `text` and
    `label`. Preference: `whole(label)` against `whole(1 - label)`.
    """

    context: str
    choices: tuple[str, ...]
    label: int  # index of the right choice
    form: str  # the kind of example within its task, such as "where"
    stories: tuple[int, ...]  # what `tell` makes it from

    @property
    def text(self) -> str:
        """Return what a classifier reads: the context, and the choices unless all examples have the same."""
        if self.choices in (NO_YES, TRUE_FALSE_NEITHER):
            return self.context
        return "\n".join([self.context, *(f"{number}. {choice}" for number, choice in enumerate(self.choices))])

    def whole(self, choice: int) -> str:
        """Return the context with one of the choices."""
        return f"{self.context} {self.choices[choice]}"


class Candidate(NamedTuple):
    """What could be asked: a form of example and what else its labels are balanced within, the label, the words."""

    key: tuple[str, ...]
    label: int
    words: str = ""


class Chooser(Chance):
    """Choose among candidates so that every label is equally frequent, in all and within every key."""

    def __init__(self, labels: int, random: Random):
        super().__init__(random)
        self.labels = range(labels)
        self.counts: Counter = Counter()  # of labels, of labels within a key, of forms

    def balanced(self, candidates: Iterable[Candidate]) -> Candidate | None:
        """Return one whose label is not ahead within its key: if there is one, of the label most needed in all."""
        counts = self.counts
        behind = [c for c in candidates if counts[c.key, c.label] <= min(counts[c.key, label] for label in self.labels)]
        if not behind:
            return None
        needed = min(counts[c.label] for c in behind)
        chosen = self.pick([c for c in behind if counts[c.label] == needed])
        counts.update([chosen.label, (chosen.key, chosen.label)])
        return chosen

    def of_forms(self, candidates: Iterable[Candidate]) -> Candidate | None:
        """Return one of the form least asked; only of those that offer every label, so that no text tells its label."""
        forms: dict[str, list[Candidate]] = {}
        for candidate in candidates:
            forms.setdefault(candidate.key[0], []).append(candidate)
        whole = [form for form in forms if {c.label for c in forms[form]} == set(self.labels)]
        for form in sorted(whole, key=self.counts.__getitem__):
            if chosen := self.balanced(forms[form]):
                self.counts[form] += 1
                return chosen
        return None

    def two(self, context: str, right: str, wrong: str, form: str, *stories: int, key: tuple = ()) -> Example:
        """Return an example of two choices, the right one as often first as second within a key."""
        label = self.balanced([Candidate(key, label) for label in self.labels]).label
        return Example(context, (right, wrong) if label == 0 else (wrong, right), label, form, stories)
