"""Classes of words: right by hand-labelled sentences, complete for the stories, the same names from other taggers."""

import sys
from collections import Counter
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import pytest

from casebook.stories import WORD_CLASSES, story_classes
from casebook.stories.tagger import rules
from casebook.tokens import taggers, word_classes
from linstudy.lookup import entries
from linstudy.text import stories

LETTERS = dict(zip("nvjrpNdicmut.", (*WORD_CLASSES[:4], "pronoun", "name", *WORD_CLASSES[6:13]), strict=True))

# Sentences of stories of another seed than any that was looked at for the rules, labelled by hand.
LABELLED = (Path(__file__).parent / "data" / "labelled.txt").read_text(encoding="utf-8")


def labelled() -> list[tuple[str, list[str]]]:
    lines = LABELLED.strip().splitlines()
    return [(text, [LETTERS[one] for one in letters.split()]) for text, letters in zip(*2 * [iter(lines)], strict=True)]


def accuracy(tag) -> float:
    right = [tag(text)[index] == truth for text, truths in labelled() for index, truth in enumerate(truths)]
    return sum(right) / len(right)


def words(text: str) -> list[str]:
    return [text[start:stop] for start, stop, _ in word_classes(text)]


def given(text: str) -> list[str]:
    return [word_class for *_, word_class in word_classes(text)]


def test_hand_labelled_words_have_their_class():
    truths = Counter(truth for _, truths in labelled() for truth in truths)
    assert truths.total() >= 500
    assert set(truths) == set(LETTERS.values())
    assert accuracy(given) >= 0.98


def test_the_rules_of_context_are_needed():
    def usual(text):
        return [
            rules()[word.lower()][-1].word_class if word.lower() in rules() and word_class != "name" else word_class
            for word, word_class in zip(words(text), given(text), strict=True)
        ]

    assert 0.85 < accuracy(usual) < 0.95
    assert accuracy(lambda text: ["verb"] * len(words(text))) < 0.25


def test_nearly_every_word_of_the_stories_has_a_class_and_one_of_no_story_is_other():
    counts = Counter(word_class for text in islice(stories(seed=3), 150) for word_class in given(text))
    assert counts["other"] <= 0.01 * (counts.total() - counts["punctuation"])
    assert set(WORD_CLASSES) - set(counts) <= {"other"}
    assert given("Photosynthesis qwghlm 1984!") == ["other", "other", "number", "punctuation"]


def test_a_word_of_two_classes_is_told_by_its_neighbours():
    for text, word, expected in (
        ("A stubborn little bear named Ada could not bear it.", "bear", ["noun", "verb"]),
        ('"To saw, I need a saw," thought the owl who saw it.', "saw", ["verb", "noun", "verb"]),
        ("It had an orange kite and a sweet orange.", "orange", ["adjective", "noun"]),
        ("He knew that the kite that fell that day was gone.", "that", ["conjunction", "pronoun", "determiner"]),
        ("Rusty had a rusty key.", "rusty", ["name", "adjective"]),
    ):
        found = [c for start, stop, c in word_classes(text) if text[start:stop].lower() == word]
        assert found == expected, text


def test_the_lists_name_each_word_once_and_only_classes():
    data = entries("stories/tagger.toml", "casebook")
    context = [word for row in data["CONTEXT"].strip().splitlines() for word in row.split("|")[0].split()]
    named = Counter([*context, *(word for row in data["WORDS"].values() for word in row.split())])
    assert {word: count for word, count in named.items() if count > 1} == {}
    assert {rule.word_class for ways in rules().values() for rule in ways} <= set(WORD_CLASSES)
    assert all(not ways[-1].after and not ways[-1].before for ways in rules().values())


def test_spans_are_the_words_in_their_places():
    text = "The shepherd's yo-yo didn't cost $3.50, \u201cno!\u201d\n"
    assert " ".join(words(text)) == "The shepherd 's yo-yo did n't cost $ 3.50 , \u201c no ! \u201d"
    assert word_classes(text) == sorted(word_classes(text))
    assert word_classes("") == word_classes(" \n") == []
    assert story_classes([]) == []


def test_a_function_is_taken_as_it_is_and_an_unknown_tagger_refused():
    assert word_classes("abc", tagger=lambda text: [(0, len(text), "mine")]) == [(0, 3, "mine")]
    with pytest.raises(ValueError, match=r"no tagger 'treetagger': take one of 'stories', 'nltk', 'spacy', or a func"):
        word_classes("abc", tagger="treetagger")


# ------------------------------------------------------------------ taggers for real text


@pytest.fixture
def fresh_spacy():
    taggers._spacy_model.cache_clear()
    yield
    taggers._spacy_model.cache_clear()


@pytest.mark.parametrize("name", ["nltk", "spacy"])
def test_a_tagger_that_is_not_installed_says_what_to_install(name, monkeypatch, fresh_spacy):
    monkeypatch.setitem(sys.modules, name, None)  # importing it fails
    with pytest.raises(ImportError, match=rf"package {name}, .*not installed: run: pip install 'linstudy\[tagging\]'"):
        word_classes("abc", tagger=name)


def test_a_tagger_without_its_data_says_what_to_download(monkeypatch, fresh_spacy):
    def missing(error):
        return lambda *arguments, **options: (_ for _ in ()).throw(error)

    monkeypatch.setitem(sys.modules, "nltk", SimpleNamespace(pos_tag_sents=missing(LookupError("no resource"))))
    monkeypatch.setitem(sys.modules, "spacy", SimpleNamespace(load=missing(OSError("[E050] Can't find model"))))
    with pytest.raises(OSError, match=r"nltk.downloader averaged_perceptron_tagger_eng"):
        word_classes("abc", tagger="nltk")
    with pytest.raises(OSError, match=r"its model en_core_web_sm: run: python -m spacy download en_core_web_sm"):
        word_classes("abc", tagger="spacy")


SENTENCE = "She didn't want to go to\n the well (2 miles) because Mila was there."
# The words, what the two kinds of tags call them, and the class that we give them.
TAGGED = """She PRP PRON pronoun, did VBD AUX verb, n't RB PART adverb, want VB VERB verb, to TO PART particle,
go VB VERB verb, to TO ADP preposition, the DT DET determiner, well NN NOUN noun, ( ( PUNCT punctuation,
2 CD NUM number, miles NNS NOUN noun, ) ) PUNCT punctuation, because IN SCONJ conjunction, Mila NNP PROPN name,
was VBD AUX verb, there EX PRON adverb, . . PUNCT punctuation"""
TAGGED = [tuple(one.split()) for one in TAGGED.split(",")]


@pytest.mark.parametrize("name", ["nltk", "spacy"])
def test_what_other_taggers_say_comes_in_our_classes(name, monkeypatch, fresh_spacy):
    def pos_tag_sents(sentences):
        assert [word for sentence in sentences for word in sentence] == [word for word, *_ in TAGGED]
        return [[(word, penn) for word, penn, *_ in TAGGED]]

    class Token(SimpleNamespace):
        def __len__(self):
            return len(self.text)

    def load(model, exclude):
        def tag(text):
            at, tokens = 0, [Token(text="\n", idx=text.index("\n"), pos_="SPACE", is_space=True)]
            for word, _, universal, _ in TAGGED:
                at = text.index(word, at)
                tokens.append(Token(text=word, idx=at, pos_=universal, is_space=False))
                at += len(word)
            return tokens

        return tag

    monkeypatch.setitem(sys.modules, name, SimpleNamespace(pos_tag_sents=pos_tag_sents, load=load))
    found = [(SENTENCE[start:stop], ours) for start, stop, ours in word_classes(SENTENCE, tagger=name)]
    assert found == [(word, ours) for word, _, _, ours in TAGGED]
