"""The data files of the stories: read without their comments, and what is wrong in one is said with its line."""

import subprocess
import sys

import pytest

from storyworld import lexicon, tables


@pytest.fixture
def file(monkeypatch):
    """Let the data files hold a text, and forget them before and after."""

    def hold(text: str) -> None:
        monkeypatch.setattr(tables, "text_of", lambda name: text)
        monkeypatch.setattr(lexicon, "text_of", lambda name: text)

    for read in (tables.toml, tables.templates):
        read.cache_clear()
    yield hold
    for read in (tables.toml, tables.templates):
        read.cache_clear()


def test_templates_stand_under_their_kind(file):
    file("# a comment\n\nopen\n    Once {who} [ran|hid[ away|]].\n\n    # no comment\n# one\nend.happy\n    So.\n")
    assert tables.templates("x.txt") == {
        "open": ("Once {who} [ran|hid[ away|]].", "# no comment"),
        "end.happy": ("So.",),
    }


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("    Once {who} ran.\n", r"x.txt: a template stands before any kind of event \(at line 1\)"),
        ("open\n    So.\n\nopen\n", r"x.txt: 'open' has its templates already \(at line 4\)"),
        ("# one\nopen\n    {Who} [ran|hid.\n", r"x.txt: a bracket is not closed \(at line 3\)"),
    ],
)
def test_a_wrong_template_file_is_named_with_its_line(file, text, what):
    file(text)
    with pytest.raises(ValueError, match=what):
        tables.templates("x.txt")


def test_a_wrong_table_is_named_with_its_line(file):
    file('GIRLS = "Mila"\nBOYS = "Omar\n')
    with pytest.raises(ValueError, match=r"x.toml: .*\(at line 2"):
        tables.toml("x.toml")
    file('FEARS = """\na howl | the wind\na growl\n"""\n')
    with pytest.raises(ValueError, match=r"lexicon.toml: 1 cells where the first row has 2 \(at line 3\)"):
        lexicon.read("\na howl | the wind\na growl\n")


def test_the_lexicon_has_words_phrases_and_rows():
    assert lexicon.GIRLS[:2] == ("Mila", "Nora")
    assert lexicon.HOMES[-1] == "brick house"
    assert lexicon.TROUBLES[0] == ("who was stuck in deep mud", "rope")
    assert lexicon.ELDERS["animals"][0] == ("the old owl", "owl", "she", "wise owl")
    assert lexicon.THINGS["fruit"] == (
        lexicon.FRUIT,
        ("apple", "pear", "plum", "peach", "melon", "orange", "cherry", "apricot"),
    )
    with pytest.raises(AttributeError, match=r"lexicon.toml has no GRILS"):
        _ = lexicon.GRILS


def test_no_file_is_read_before_a_story_is_told():
    read = "print(tables.toml.cache_info().misses)"
    code = f"from storyworld import tables, tell; {read}; tell(1); {read}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    before, after = map(int, done.stdout.split())
    assert before == 0 < after
