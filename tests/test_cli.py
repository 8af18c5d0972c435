"""The command line: what it prints and writes, and one sentence for everything a user can do wrong."""

import os
import signal
import subprocess
import sys

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from tiny_models import tiny_model

import linstudy
from linstudy.cli import main
from linstudy.commands.profile import layer_numbers
from linstudy.measure import sums

TEXT = ("--text", "text.txt", "--tokens", "4096", "--length", "64")
DOCTOR = "linstudy.study.doctor.doctor"
STORY = "Lily saw a red ball. Tom had the ball. Lily was sad, so Tom gave her the ball and they played. "


def process(*words, cwd):
    """Run the command in a process of its own."""
    environment = os.environ | {"LINSTUDY_SIZE": "tiny"}
    command = [sys.executable, "-m", "linstudy", *words]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False)


def refused(done):
    """Return the one sentence of a refusal."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("linstudy: ")
    return lines[0].removeprefix("linstudy: ")


@pytest.fixture
def typed(folder, monkeypatch, capsys):
    """Return what runs a command as if it was typed in the folder, without a process of its own."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("LINSTUDY_SIZE", "tiny")

    def run(*words):
        capsys.readouterr()
        with plt.rc_context():
            status = main(list(words))
        told = capsys.readouterr()
        return subprocess.CompletedProcess(words, status, told.out, told.err)

    return run


def each_is_refused(typed, command, wrong):
    """See that every wrong option gets its sentence, and that nothing is left behind."""
    before = sorted(os.listdir())
    for changes, part in wrong:
        assert part in refused(typed(*command, *changes)), changes
    assert sorted(os.listdir()) == before


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a tiny model in the hub's format and a text file."""
    from linstudy.text import train_tokenizer

    folder = tmp_path_factory.mktemp("cli")
    texts = [f"{number} {STORY}" for number in range(400)]
    tokenizer = train_tokenizer(texts, vocab_size=300)
    tiny_model("llama", vocab_size=len(tokenizer)).save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    (folder / "text.txt").write_text("".join(texts), encoding="utf-8")
    return folder


def raising(error):
    """Return a function that raises an error, whatever it is given."""

    def fail(*_, **__):
        raise error

    return fail


VERBS = ("profile", "report", "pretrain", "prune", "fetch", "results", "doctor")


def test_help_and_version_answer_at_once(tmp_path):
    """Nothing heavy is imported for them, whatever the machine is doing."""
    code = "import sys; from linstudy.cli import parser; parser(); print({'torch', 'pandas', 'numpy'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
    help_ = process("--help", cwd=tmp_path)
    assert help_.returncode == 0
    assert all(name in help_.stdout for name in VERBS)
    assert process("--version", cwd=tmp_path).stdout == f"linstudy {linstudy.__version__}\n"


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_has_help(name, capsys):
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: linstudy {name}")


def test_layers_are_numbers_from_one_on():
    assert layer_numbers("1,3-5, 4") == [1, 3, 4, 5]
    for text, part in (("1,x", "x"), *((one, one) for one in ("0", "5-3", "", "2-", "-2", "1.5", "7-99999999"))):
        told = f"--layers '{text}': '{part}' is no layer; write numbers from 1 to 10000, as 1,3-5"
        with pytest.raises(ValueError, match=told):
            layer_numbers(text)


@pytest.mark.slow
def test_a_profile_from_the_command_equals_the_one_from_python(folder, typed):
    words = ["profile", "model", *TEXT, "--csv", "out.csv", "--plot", "out.svg"]
    done = process(*words, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "4,096 tokens of text.txt" in done.stdout
    assert "update_linearity" in done.stdout
    table = pd.read_csv(folder / "out.csv")
    assert table["layer"].tolist() == [1, 2, 3]
    assert table["command"].unique().tolist() == ["linstudy " + " ".join(words)]
    assert table["model"].unique().tolist() == ["model"]
    assert (folder / "out.svg").read_text(encoding="utf-8").lstrip().startswith("<?xml")

    model, tokenizer = linstudy.load(folder / "model")
    blocks = linstudy.token_blocks(folder / "text.txt", tokenizer, tokens=4096, length=64)
    expected = linstudy.linearity_profile(model, blocks)
    for name in ("linearity", "update_linearity", "update_ratio", "cosine"):
        assert table[name].tolist() == pytest.approx(expected[name].tolist(), abs=1e-6)

    control = typed(*words[:8], "--untrained", "--layers", "1,3", "--csv", "control.csv")
    assert control.returncode == 0, control.stderr
    random = pd.read_csv(folder / "control.csv")
    assert random["layer"].tolist() == [1, 3]
    assert random["weights"].unique().tolist() == ["random"]
    assert abs(random["linearity"].iloc[0] - table["linearity"].iloc[0]) > 1e-3


@pytest.mark.slow
def test_either_stack_of_a_model_that_has_two_is_measured_and_no_other_model_has_one_to_choose(folder, typed):
    model, tokenizer = tiny_model("t5", vocab_size=303), linstudy.load(folder / "model")[1]
    model.save_pretrained(folder / "two")
    tokenizer.save_pretrained(folder / "two")
    blocks = linstudy.token_blocks(folder / "text.txt", tokenizer, tokens=4096, length=64)
    for words, stack in ((), "decoder"), (("--stack", "encoder"), "encoder"):
        done = typed("profile", "two", *TEXT, *words, "--csv", "out.csv")
        assert done.returncode == 0, done.stderr
        table = pd.read_csv(folder / "out.csv")
        expected = linstudy.linearity_profile(model.eval(), blocks, stack=stack)
        assert table["stack"].unique().tolist() == [stack]
        assert table["linearity"].tolist() == pytest.approx(expected["linearity"].tolist(), abs=1e-6)
    told = "--stack encoder: model has one stack of layers; leave the option out."
    assert refused(typed("profile", "model", *TEXT, "--stack", "encoder")) == told


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "said"),
    [("a" * 20_000, "no scores of layers 1, 2, 3: what enters or leaves"), (STORY * 200, "this text repeats itself")],
    ids=["one word", "repeats"],
)
def test_a_text_that_has_no_scores_or_a_higher_floor_is_told_so(folder, typed, text, said):
    (folder / "odd.txt").write_text(text)
    odd, plain = (typed("profile", "model", "--text", one, *TEXT[2:]) for one in ("odd.txt", "stories"))
    assert (odd.returncode, said in odd.stdout) == (plain.returncode, said not in plain.stdout) == (0, True)
    assert (" linearity" in odd.stdout) == (text[0] != "a")
    assert text[0] == "a" or float(odd.stdout.split("read the floor as ")[1]) > 64 / 4095


@pytest.mark.slow
def test_what_a_user_can_get_wrong_is_one_sentence(typed, monkeypatch):
    profile = ["profile", "model", *TEXT, "--csv", "wrong.csv"]
    wrong = (
        (["--text", "story"], "'story'"),
        (["--text", "no.txt"], "'no.txt'"),
        (["--tokens", "10"], "tokens=10"),
        (["--tokens", "9000000"], "9,000,000"),
        (["--layers", "1-x"], "'1-x' is no layer"),
        (["--tokens", "0"], "argument --tokens: '0' should be a whole number from 1 to"),
        (["--tokens", "-5"], "argument --tokens: '-5' should be a whole number from 1 to"),
        (["--length", "many"], "argument --length: 'many' should be a whole number from 1 to"),
        (["--seed", "-1"], "argument --seed: '-1' should be a whole number from 0 to"),
        (["--seed", str(2**70)], f"argument --seed: '{2**70}' should be a whole number from 0 to"),
        (["--batch-size", "0"], "argument --batch-size: '0' should be a whole number from 1 to"),
        (["--colour", "red"], "unrecognized arguments: --colour red; see `linstudy --help`"),
        (["--resume", "text.txt"], "text.txt holds no measurement to resume"),
        (["--layers", "7"], "no layer 7: the model has layers 1 to 3"),
        (["--drop-first", "64"], "drop_first=64"),
        (["--heldout", "1.5"], "heldout=1.5"),
        (["--dtype", "float31"], "'float31'"),
        (["--device", "gpu"], "'gpu'"),
        (["--revision", "main"], "revision 'main'"),
    )
    each_is_refused(typed, profile, wrong)
    each_is_refused(typed, ["profile"], [(["gtp2", "--csv", "out.csv"], "'gtp2'")])
    wrong = [([f"--{name}", "0"], f"argument --{name}: '0' should be a whole") for name in ("steps", "tokens", "batch")]
    wrong += [(["--warmup", "-1"], "warmup is -1 steps; it must lie between 0 and steps")]
    wrong += [(["--penalty", "cosinus=1"], "cosinus"), (["--layers", "9999"], "a model of 9999 layers cannot be made")]
    wrong += [(["--out", "model"], "model holds something that no pretraining wrote: give a new folder")]
    each_is_refused(typed, ["pretrain", "--out", "new"], wrong)
    each_is_refused(typed, [], [([], "arguments are required: COMMAND"), (["dr"], "invalid choice: 'dr'")])
    assert "could not write /dev/full (No space left on device)" in typed(*profile, "--csv", "/dev/full").stderr
    monkeypatch.setenv("LINSTUDY_SIZE", "huge")
    each_is_refused(typed, profile, [([], "there is no size 'huge'")])


def test_outputs_are_looked_at_before_the_long_work(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    monkeypatch.setattr(linstudy, "load", lambda *_, **__: pytest.fail("the long work began"), raising=False)
    for option, path, told in (
        ("--csv", "no/out.csv", "the folder 'no' does not exist; make it first."),
        ("--plot", "folder", "this is a folder; name a file in it."),
        ("--csv", "out.csv", "cannot write there (Read-only file system); name a file elsewhere."),
    ):
        with monkeypatch.context() as patched:
            if path == "out.csv":
                patched.setattr("tempfile.TemporaryFile", raising(OSError(30, "Read-only file system")))
            assert main(["profile", "m", option, path]) == 2
        assert capsys.readouterr().err == f"linstudy: {option} {path}: {told}\n"
    assert os.listdir(tmp_path) == ["folder"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ValueError("two\n lines"), "two lines"),
        (KeyboardInterrupt(), "stopped; `linstudy doctor` starts over."),
        (FloatingPointError("the loss was nan"), "the loss was nan"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "out of memory at size tiny (DefaultCPUAlloc"),
        (FileNotFoundError(2, "No such file or directory", "a.csv"), "a.csv: No such file or directory"),
        (OSError(28, "No space left on device"), "the output: No space left on device; look there, make room, or"),
        (MemoryError(), "out of memory at size tiny (MemoryError); ask for fewer tokens or a smaller model"),
        (MemoryError("8 GiB do not fit: give 4"), "8 GiB do not fit: give 4\n"),  # has its remedy
        (type("OutOfMemoryError", (RuntimeError,), {})("CUDA"), "out of memory at size tiny (CUDA)"),
    ],
)
def test_errors_of_the_user_and_of_the_machine_are_sentences_and_ours_are_not(error, sentence, monkeypatch, capsys):
    monkeypatch.setenv("LINSTUDY_SIZE", "tiny")
    monkeypatch.setattr(DOCTOR, raising(error))
    assert main(["doctor"]) == 2
    assert capsys.readouterr().err.startswith(f"linstudy: {sentence}")
    with pytest.raises(type(error)):
        main(["doctor", "--debug"])
    monkeypatch.setattr(DOCTOR, raising(KeyError("ours")))
    with pytest.raises(KeyError):
        main(["doctor"])


def test_results_are_listed_with_their_state(typed):
    done = typed("results", "--list")
    assert done.returncode == 0, done.stderr
    hub = [line for line in done.stdout.splitlines() if "-gpt2-wikitext-" in line]
    assert len(hub) == 5  # profiles, outliers and boundaries, trained and random
    assert all("there" in line or "cannot run here: HF_HUB_OFFLINE is set" in line for line in hub)
    assert refused(typed("results", "--only", "gpt3")).startswith("there is no run 'gpt3'")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("after", "status", "told"),
    [
        ("| head -1; exit ${PIPESTATUS[0]}", 0, ""),
        ("> /dev/full", 2, "linstudy: the output: No space left on device; look"),
    ],
)
def test_a_reader_that_closes_early_is_no_error_and_a_full_disk_behind_the_output_is_one(tmp_path, after, status, told):
    command = ["bash", "-c", f"{sys.executable} -m linstudy doctor {after}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr[: len(told)], done.stderr.count("\n")) == (status, told, bool(told))
    assert done.stdout.startswith("" if told else "ok       python")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("pretrain", "--out", "new"), "stopped; resume with `linstudy pretrain --out new`."),
        (("profile", "m"), "stopped; `linstudy profile m` starts over, and with --resume FILE it could go on."),
        (("profile", "m", "--resume", "here"), "stopped; resume with `linstudy profile m --resume here`."),
        (("prune", "m", "--layers", "1", "--out", "new"), "`linstudy prune m --layers 1 --out new` starts over."),
    ],
)
def test_after_an_interruption_is_said_what_goes_on(words, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(linstudy, "load", raising(KeyboardInterrupt()), raising=False)
    monkeypatch.setattr("linstudy.train.pretrain_to", raising(KeyboardInterrupt()))
    assert main(list(words)) == 2
    assert told in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def test_a_library_that_is_cut_in_its_import_raises_anything_and_the_command_was_stopped(monkeypatch, capsys):
    def cut(besides):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError("cannot load module more than once per process") from None

    monkeypatch.setattr(DOCTOR, cut)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a process of pytest-xdist ignores the signal
    try:
        assert main(["doctor"]) == 2
        assert capsys.readouterr().err == "linstudy: stopped; `linstudy doctor` starts over.\n"
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.slow
def test_a_profile_that_was_killed_goes_on_and_a_name_is_no_formula(folder, typed, monkeypatch):
    monkeypatch.setattr("linstudy.measure.resume.SECONDS", -1)  # saved after every batch
    (folder / "$$").symlink_to("model")
    words = ["profile", "$$", *TEXT, "--resume", "here", "--csv", "one.csv", "--plot", "one.svg"]
    with monkeypatch.context() as patched:
        patched.setattr("linstudy.measure.resume.Progress.after_pass", raising(KeyboardInterrupt()))
        assert typed(*words).returncode == 2
    assert (folder / "here").is_file()
    read, sums_read = [], sums.read
    monkeypatch.setattr(
        sums, "read", lambda *all_, rows, **others: read.extend(rows) or sums_read(*all_, rows=rows, **others)
    )
    with monkeypatch.context() as patched:
        patched.setattr("linstudy.commands.profile.draw", raising(OSError("no room")))
        assert typed(*words).returncode == 2
    assert (folder / "here").is_file()  # until all is written
    done = typed(*words)
    assert done.returncode == 0, done.stderr
    assert read == []  # all batches were saved
    assert not (folder / "here").exists()
    assert "$$" in done.stdout
    assert pd.read_csv(folder / "one.csv")["layer"].tolist() == [1, 2, 3]
