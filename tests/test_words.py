"""The data files of the stories: read without their comments, and what is wrong in one is said with its line."""

import subprocess
import sys

import pytest

from storyworld import lexicon, scripts, tables, tell


@pytest.fixture
def file(monkeypatch):
    """Let a data file hold a text, and forget what was read before and after."""

    def forget():
        for read in (tables.toml, tables.templates, scripts.plots):
            read.cache_clear()

    def hold(text, name="x.txt"):
        real = tables.text_of
        monkeypatch.setattr(tables, "text_of", lambda asked: text if asked == name else real(asked))

    forget()
    yield hold
    forget()


def test_templates_stand_under_their_kind(file):
    file("# a comment\n\nopen\n    Once {who} [ran|hid[ away|]].\n\n    # no comment\n# one\nend.happy\n    So.\n")
    assert tables.templates("x.txt") == {
        "open": ("Once {who} [ran|hid[ away|]].", "# no comment"),
        "end.happy": ("So.",),
    }


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("    Once {who} ran.\n", r"x.txt: 'Once {who} ran.' stands under nothing \(at line 1\)"),
        ("open\n    So.\n\nopen\n", r"x.txt: 'open' has its templates already \(at line 4\)"),
        ("# one\nopen\n    {Who} [ran|hid.\n", r"x.txt: a bracket is not closed \(at line 3\)"),
    ],
)
def test_a_wrong_template_file_is_named_with_its_line(file, text, what):
    file(text)
    with pytest.raises(ValueError, match=what):
        tables.templates("x.txt")


SCRIPT = """
trade x2
    here = pick first.spots
    30% !want hero
    or 20%
        *give hero x="no {here}"
        let go
"""


def test_a_script_has_steps_forks_and_ends(file):
    file(SCRIPT, scripts.FILE)
    (name, (step, fork)), again = scripts.plots()
    assert (name, again[0]) == ("trade", "trade")
    assert step == scripts.Step(("here",), "", "pick", (("", "first.spots"),))
    assert [(branch.percent, len(branch.steps)) for branch in fork.branches] == [(30, 1), (50, 2)]
    assert fork.branches[1].steps[0].arguments == (("", "hero"), ("x", '"no {here}"'))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("trade\n    else open hero\n", r"scripts.txt: 'else open hero' stands alone \(at line 2\)"),
        ("trade\n    open hero =\n", r"scripts.txt: 'open hero =' is no step \(at line 2\)"),
        ("trade\n\n    close hero\n", r"scripts.txt: there is no event and no passage 'close'"),
        ("trade\n    open villain\n", r"scripts.txt: 'open' cannot be about 'villain'"),
    ],
)
def test_a_wrong_script_is_named(file, text, what):
    file(text, scripts.FILE)
    with pytest.raises(ValueError, match=what):
        tell(1)


def test_a_wrong_table_is_named_with_its_line(file, monkeypatch):
    file('GIRLS = "Mila"\nBOYS = "Omar\n', "x.toml")
    with pytest.raises(ValueError, match=r"x.toml: .*\(at line 2"):
        tables.toml("x.toml")
    monkeypatch.setattr(lexicon, "text_of", lambda _: 'FEARS = """\na howl | the wind\na growl\n"""\n')
    with pytest.raises(ValueError, match=r"lexicon.toml: 1 cells where the first row has 2 \(at line 3\)"):
        lexicon.read("\na howl | the wind\na growl\n")


def test_the_lexicon_has_words_phrases_and_rows():
    assert (lexicon.GIRLS[:2], lexicon.HOMES[-1]) == (("Mila", "Nora"), "brick house")
    assert lexicon.TROUBLES[0] == ("who was stuck in deep mud", "rope")
    assert lexicon.ELDERS["animals"][0] == ("the old owl", "owl", "she", "wise owl")
    assert lexicon.THINGS["fruit"][0] == lexicon.FRUIT
    with pytest.raises(AttributeError, match=r"lexicon.toml has no GRILS"):
        _ = lexicon.GRILS


def test_no_file_is_read_before_a_story_is_told():
    read = "print(tables.toml.cache_info().misses)"
    code = f"from storyworld import tables, tell; {read}; tell(1); {read}"
    before, after = map(int, subprocess.check_output([sys.executable, "-c", code], text=True).split())
    assert before == 0 < after
