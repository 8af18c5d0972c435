"""Models are loaded whole or not at all, and what cannot be loaded ends in one sentence that says what to do."""

import json
import re
import socket
import textwrap
from functools import partial

import pytest
import torch
from hub_process import run_on_hub
from model_hub import commit_of, model_hub
from test_cli import raising
from tiny_models import SOME, VOCABULARY, tiny_ids, tiny_model
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertModel, PreTrainedTokenizerFast

import linstudy
from linstudy import hub
from linstudy.fetched import pocket_folders
from linstudy.models import blocks, load, untrained
from linstudy.models.devices import find_device, find_dtype

INSTEAD = r"a pocket model \(.*\) or a folder \(linstudy\.load\('path/to/folder'\)\)"


def saved(folder, model, **options):
    """Save a model with a tokenizer of words, as save_pretrained writes them."""
    vocabulary = {"<pad>": 0, "<s>": 1, "</s>": 2} | {f"w{i}": i for i in range(3, VOCABULARY)}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="<pad>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>").save_pretrained(folder)
    model.save_pretrained(folder, **options)
    return folder


@pytest.fixture
def folder(tmp_path):
    return saved(tmp_path / "llama", tiny_model("llama"))


def change_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_folder_gives_the_model_that_was_saved_in_the_number_type_of_the_caller(folder):
    model, tokenizer = linstudy.load(folder)
    assert torch.equal(model(tiny_ids()).logits, tiny_model("llama")(tiny_ids()).logits)
    assert tokenizer("w5 w98").input_ids == [5, 98]
    assert (model.training, model.dtype, model.device.type) == (False, torch.float32, find_device(None).type)
    assert model.name_or_path == model.config._name_or_path == str(folder)
    assert load(folder, dtype="bfloat16")[0].dtype == torch.bfloat16
    assert load(folder, dtype=torch.float64, device="cpu")[0].dtype == torch.float64
    spread, _ = load(folder, device="auto")
    assert torch.allclose(spread(tiny_ids().to(spread.device)).logits.cpu(), tiny_model("llama")(tiny_ids()).logits)
    assert (spread.training, spread.name_or_path) == (False, str(folder))
    tiny_model("llama").to(torch.bfloat16).save_pretrained(folder)
    assert load(folder, device="cpu")[0].dtype == torch.float32  # not the type it was stored in


@pytest.mark.parametrize(
    ("name", "kind"), [("bert", "BertForMaskedLM"), ("t5", "T5ForConditionalGeneration"), ("body", "BertModel")]
)
def test_every_kind_of_family_keeps_its_head_and_one_without_has_none(tmp_path, name, kind):
    model = BertModel(tiny_model("bert").config) if name == "body" else tiny_model(name)
    found, _ = load(saved(tmp_path, model))
    assert type(found).__name__ == kind
    for key, weight in model.state_dict().items():
        assert torch.equal(found.state_dict()[key], weight)


def test_weights_in_pieces_are_loaded(tmp_path):
    folder = saved(tmp_path, tiny_model("llama"), max_shard_size="50KB")
    first, *others = sorted(folder.glob("*.safetensors"))
    assert others
    model, _ = load(folder)
    assert torch.equal(model(tiny_ids()).logits, tiny_model("llama")(tiny_ids()).logits)
    first.unlink()
    with pytest.raises(FileNotFoundError, match=r"model-00001-of-.*safetensors, part of the weights in .* missing"):
        load(folder)


def test_a_real_model_continues_the_story(shared):
    model, tokenizer = load(shared / "models" / "stories260K", device="cpu")
    start = "Once upon a time, there was a little girl named Lily."
    ids = tokenizer(start, return_tensors="pt").input_ids
    story = tokenizer.decode(model.generate(ids, max_new_tokens=30, do_sample=False)[0], skip_special_tokens=True)
    assert story.strip().startswith(f"{start} She loved to play outside in the park. One day, she saw a")


def only_a_pickle(folder):
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")


def cut_weights(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def in_pieces(folder, index):
    (folder / "model.safetensors").rename(folder.parent / "away.safetensors")  # where it must not be looked for
    (folder / "model.safetensors.index.json").write_text(index)


def without(name):
    return lambda folder: (folder / name).unlink()


def holding(name, text):
    return lambda folder: (folder / name).write_text(text)


BUILT = r"the model in .*llama cannot be built \({}.*\): load a"
CONFIGS = [  # what its config says; ".+": in the words of transformers, which change
    ({"model_type": "lama9"}, r"does not know the model type 'lama9' of .*: install a newer .*trust_remote_code=True"),
    ({"num_hidden_layers": 4}, r"9 weights of .* are missing or of .*first: model\.layers\.3\..*would be random: load"),
    (
        {"num_hidden_layers": 2},
        r"9 weights .*' are of layers that its config lacks \(first: model\.layers\.2\..*: load",
    ),
    ({"intermediate_size": 48}, r"9 weights of .* are missing or of .*first: model\.layers\.0\.mlp\.down_proj\.weight"),
    ({"model_type": "vit"}, "llama holds a 'vit' model, and no language model: load one that reads and writes text"),
    ({"model_type": "qwen2_vl"}, "a 'qwen2_vl' model, which reads images too and is not supported: load its text"),
    ({"architectures": 5}, r"config\.json is not a config \(.*\): copy or"),
    ({"hidden_size": "abc"}, BUILT.format(".+")),
    ({"hidden_size": 63}, f"{BUILT.format('.+')}|weights .* of another shape than its config"),  # transformers 5.0
    *(
        ({name: value}, BUILT.format(f"its config says {name} {value}, which its weights cannot fill"))
        for name, value in (("hidden_size", -64), ("num_hidden_layers", 0), ("vocab_size", 10**9))
    ),
    ({"hidden_act": "nope"}, BUILT.format(".+")),
]
INDICES = ("{}", "no JSON", '{"weight_map": {"a": 5}}', '{"weight_map": {"a": "../away.safetensors"}}')
CUT = r"\(.*\): copy or download it again"
MISSING = FileNotFoundError
FILES = [
    (without("config.json"), MISSING, r"there is no config\.json in .*llama: give the"),
    (without("model.safetensors"), MISSING, r"no model\.safetensors in .*llama: give the folder that model\.sa"),
    (without("tokenizer.json"), MISSING, r"no tokenizer in .*llama: save it there with tokenizer\.save_pretr"),
    (holding("config.json", '{"model_type": '), ValueError, rf"config\.json is not a config {CUT}"),
    (holding("tokenizer.json", "{"), ValueError, rf"the tokenizer in .*llama cannot be read {CUT}"),
    (only_a_pickle, MISSING, r"as a pickle only \(pytorch_model\.bin\), which can run any code.*model\.safet"),
    (cut_weights, OSError, r"model\.safetensors is cut short or damaged \(\d+ bytes; .*\): delete it, then copy or"),
]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        *FILES,
        *((partial(change_config, **wrong), ValueError, message) for wrong, message in CONFIGS),
        *(
            (partial(in_pieces, index=one), ValueError, r"index\.json does not name the files beside")
            for one in INDICES
        ),
    ],
    ids=range(len(FILES + CONFIGS) + len(INDICES)),
)
def test_a_folder_that_cannot_be_loaded_says_why(folder, capfd, change, error, message):
    change(folder)
    before = sorted(folder.iterdir())
    with pytest.raises(error, match=message) as caught:
        load(folder)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert sorted(folder.iterdir()) == before
    assert capfd.readouterr() == ("", "")


def test_what_is_no_folder_is_said_to_be_so_and_a_revision_is_for_the_hub(folder):
    for name in ("./models/mine", "/models/mine", "~/models/mine", "runs/models/mine"):
        told = rf"{re.escape(name)} does not exist: give a folder .*, or load {INSTEAD}"
        with pytest.raises(FileNotFoundError, match=told):
            load(name)
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors is a file: give a folder"):
        load(folder / "model.safetensors")
    with pytest.raises(ValueError, match=r"revision 'step1000' is for models on the hub, but .* is a folder: leave"):
        load(folder, revision="step1000")


def test_bfloat16_is_for_gpus_that_compute_in_it(monkeypatch):
    gpu = torch.device("cuda", 0)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)  # what a T4 claims
    for capability, dtype in [((7, 5), torch.float32), ((8, 0), torch.bfloat16), ((9, 0), torch.bfloat16)]:
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device, found=capability: found)
        assert find_dtype(None, gpu) == dtype
        assert find_dtype("float16", gpu) == torch.float16
    assert find_dtype(None, torch.device("cpu")) == torch.float32


def test_a_device_a_number_type_and_memory_that_are_not_there_are_errors(folder, monkeypatch):
    with pytest.raises(ValueError, match="device 'gpu' is not known: give 'cpu', 'cuda', 'cuda:1' or 'auto'"):
        load(folder, device="gpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for away in ("cuda:1", "xpu", "meta", "hpu"):
        with pytest.raises(ValueError, match=f"device '{away}' is not there, or has no float64: leave device out"):
            load(folder, device=away)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert find_device(None).type == "cuda"
    for name in ("fp16", "float8_e4m3fn", "int8", "bool", "complex64"):
        with pytest.raises(ValueError, match=f"dtype '{name}' is not known: give 'float32', 'bfloat16' or 'float16'"):
            load(folder, dtype=name, device="cpu")

    with monkeypatch.context() as small:
        small.setattr("linstudy.models.build.free_memory", lambda device: 1000)
        small.setattr("transformers.AutoModelForCausalLM.from_pretrained", raising(AssertionError("memory was taken")))
        with pytest.raises(MemoryError, match=r"\(its weights take 0\.0 GiB, this machine has 0\.0 GiB free\): give"):
            load(folder, device="cpu")

    def full(self, *args, **kwargs):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch.nn.Module, "to", full)
    told = r"does not fit into the memory of cpu as torch\.float32 \(CUDA out of memory\): give dtype='float16'"
    with pytest.raises(MemoryError, match=told):
        load(folder, device="cpu")


def test_pocket_models_come_first_and_by_name(folder, tmp_path, monkeypatch):
    shelf = tmp_path / "models" / "pocket"
    shelf.mkdir(parents=True)
    folder.rename(shelf / "tiny-1k")
    monkeypatch.setattr("importlib.resources.files", lambda package: tmp_path)
    assert list(pocket_folders()) == ["tiny-1k"]
    model, _ = load("tiny-1k")
    assert model.name_or_path == "tiny-1k"
    with pytest.raises(ConnectionError, match=r"model 'tiny-1m' is not on this machine.*pocket model \('tiny-1k'\)"):
        load("tiny-1m")


@pytest.mark.parametrize("name", SOME)
def test_the_untrained_control_is_the_same_model_with_other_weights(name):
    model, ids = tiny_model(name), tiny_ids()
    state, before = torch.get_rng_state(), model(ids).logits
    first, again, other = untrained(model), untrained(model), untrained(model, seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first(ids).logits, again(ids).logits)
    assert not torch.allclose(first(ids).logits, other(ids).logits)
    assert not torch.allclose(first(ids).logits, before)
    assert torch.equal(model(ids).logits, before)
    assert type(first) is type(model)
    assert first.config is not model.config
    assert first.config.to_dict() == model.config.to_dict()
    assert not first.training
    with linstudy.models.without(model.to(torch.bfloat16), [0]):
        fresh = untrained(model)
    assert (fresh.dtype, len(blocks(fresh))) == (torch.bfloat16, 2)


# From the hub: in a process of its own, since the hub's library reads its address when it is imported


def in_a_process(script, tmp_path, endpoint, *arguments):
    """Run `script`, in which try_to_load(...) prints a JSON line about its outcome; return those lines and stderr."""
    helper = """
        import json, sys, time
        from linstudy.models import load

        sleep, time.sleep = time.sleep, lambda seconds: None  # the hub's library waits a second before each new try

        def try_to_load(*args, **kwargs):
            try:
                model, tokenizer = load(*args, **kwargs)
                head = f"{float(model.lm_head.weight.detach().double().sum()):.9f}"
                outcome = ["ok", head, len(tokenizer), model.name_or_path]
            except Exception as error:
                quiet = error.__cause__ is None and (error.__suppress_context__ or error.__context__ is None)
                outcome = [type(error).__name__, str(error), quiet]
            print(json.dumps(outcome), flush=True)
    """
    script = textwrap.dedent(helper) + textwrap.dedent(script)
    options = ("-W", "error::UserWarning")
    done = run_on_hub(script, endpoint, tmp_path / "home", options=options, arguments=arguments, seconds=120)
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def head_sum(model):
    return f"{float(model.lm_head.weight.detach().double().sum()):.9f}"


def test_what_is_there_in_place_of_weights_and_a_broken_download_are_a_sentence_each(monkeypatch):
    monkeypatch.setattr(hub, "snapshot_download", raising(RuntimeError("No space left on device")))  # as hf_xet does
    monkeypatch.setattr(hub, "_converted", lambda name: None)
    for file, told in {
        "adapter_model.safetensors": r"only an adapter \(adapter_model\..*\): merge it into its base model and load",
        "tiny.gguf": r"no safetensors weights, only GGUF files \(tiny\.gguf\): download one and give its path",
        "tf_model.h5": "no safetensors weights: look for a revision that has them, or another model",
        "model.safetensors": r"'org/tiny' broke off \(RuntimeError: No space left on device\): load it again",
    }.items():
        monkeypatch.setattr(hub, "_listing", lambda *_, file=file: ("0" * 40, [file]))
        with pytest.raises(OSError, match=told):
            hub.fetch_model("org/tiny", revision=None, code=False, instead="", check_whole=print)


@pytest.mark.slow
def test_the_hub_and_what_it_lacks(folder, tmp_path):
    main = files_of(folder) | {"README.md": b"#", "onnx/model.onnx": b"?", "pytorch_model.bin": b"not to be loaded"}
    tiny_model("llama", seed=1).save_pretrained(folder)
    early = files_of(folder)
    pickled = {"config.json": main["config.json"], "pytorch_model.bin": b"?"}
    hub_models = {f"org/{name}": {"main": main} for name in ("gated", "cut", "silent", "other")} | {
        "org/tiny": {"main": main, "step1000": early},
        "org/pickle": {"main": pickled},
        "org/converted": {"main": pickled, "refs/pr/2": early, "refs/pr/3": main},
        "org/proposed": {"main": pickled, "refs/pr/2": early},
    }
    pulls = {"org/converted": [(2, "mallory"), (3, "SFconvertbot")], "org/proposed": [(2, "mallory")]}
    faults = {"org/gated": "gated", "org/forbidden": "403", "org/down": "503", "org/cut": "cut"}
    faults |= {"org/page": "page", "org/silent": "silent", "org/other": "other"}
    with model_hub(hub_models, faults=faults, pulls=pulls) as hub:
        outcomes, errors = in_a_process(
            """
            try_to_load("org/tiny")
            try_to_load("org/tiny", revision="step1000")
            try_to_load("org/converted")
            try_to_load("org/tiny", revision="step2000")
            for name in "/tyni /pickle /proposed /gated /forbidden /down _tiny /page /other /cut".split():
                try_to_load("org" + name.replace("_", " "))

            import pathlib, urllib.request
            from huggingface_hub import constants
            from linstudy import hub

            hub.SILENCE, patience = 0.1, constants.HF_HUB_DOWNLOAD_TIMEOUT
            try_to_load("org/silent")
            assert constants.HF_HUB_DOWNLOAD_TIMEOUT == patience
            cut = pathlib.Path(constants.HF_HUB_CACHE, "models--org--cut", "snapshots")
            print(json.dumps([len(list(cut.rglob("*.safetensors")))]))  # half a file is no file of the model
            urllib.request.urlopen(f"{constants.ENDPOINT}/heal").close()
            try_to_load("org/other")
            try_to_load("org/cut")
            constants.ENDPOINT = "http://127.0.0.1:9"  # nobody is there: what was loaded can be loaded again
            try_to_load("org/cut")
            try_to_load("org/tiny", revision="step1000")
            try_to_load("org/tiny", revision="step2000")
            weights = next(cut.rglob("model.safetensors")).resolve()
            weights.write_bytes(weights.read_bytes()[:-100])
            try_to_load("org/cut")
            weights.unlink()
            try_to_load("org/cut")
            hub.HfApi = None  # a commit that is there is not asked for
            try_to_load("org/tiny", revision=sys.argv[1])
            """,
            tmp_path,
            hub.url,
            commit_of("org/tiny", "main"),
        )
        asked = list(hub.requests)
    loaded, failed, later = outcomes[:3], outcomes[3:15], outcomes[15:]
    assert loaded == [
        ["ok", head_sum(tiny_model("llama")), VOCABULARY, "org/tiny"],
        ["ok", head_sum(tiny_model("llama", seed=1)), VOCABULARY, "org/tiny"],
        ["ok", head_sum(tiny_model("llama")), VOCABULARY, "org/converted"],  # by the hub's converter, not by mallory
    ]
    away, broke = r"'org/{}' is not on this machine .* is away \({}\): load ", "the download of model 'org/{}' "
    expected = [
        ("FileNotFoundError", r"model 'org/tiny' has no revision 'step2000': choose one listed at .*/org/tiny/tree"),
        ("FileNotFoundError", rf"no model 'org/tyni' at http.*: look for a typo, log in .*, or load {INSTEAD}"),
        ("FileNotFoundError", r"'org/pickle' at revision 'main' has no safetensors weights, only a pickle \(pyto"),
        ("FileNotFoundError", r"'org/proposed' at revision 'main' has no safetensors weights, only a pickle"),
        ("PermissionError", rf"model 'org/gated' is gated: ask for access at http.*/org/gated, .*, or load {INSTEAD}"),
        ("PermissionError", r"model 'org/forbidden' is gated: ask for access at http.*/org/forbidden"),
        ("ConnectionError", away.format("down", r"it answered 503") + INSTEAD),
        ("ValueError", rf"'org tiny' cannot be the id of a model on the hub \(owner/model\): load {INSTEAD}"),
        ("ConnectionError", away.format("page", ".*what answers there is no hub")),
        (
            "ConnectionError",
            broke.format("other") + r"brought another model\.safetensors than the hub has \(by its SHA",
        ),
        ("ConnectionError", broke.format("cut") + r"broke off \(.*\): load it again when the network, .* stopped"),
        ("ConnectionError", broke.format("silent") + r"broke off \(.*timed out.*\): load it again"),
    ]
    for (kind, text, quiet), (error, message) in zip(failed, expected, strict=True):
        assert (kind, quiet) == (error, True)
        assert re.search(message, text), text
        assert "\n" not in text
    assert later[0] == [0]
    assert [outcome[:2] for outcome in later[1:5]] == [*[loaded[0][:2]] * 3, loaded[1][:2]]
    # what is cut is told, and once it is deleted would be fetched again
    assert [one[0] for one in later[5:]] == ["ConnectionError", "OSError", "ConnectionError", "ok"]
    assert re.search(r"'org/tiny' is not on this machine and the hub at .* is away \(.*refused\)", later[5][1])
    assert re.search(r"blobs/\w+ is cut short or damaged \(\d+ bytes; .*\): delete it, then copy or", later[6][1])
    assert later[8][:2] == loaded[0][:2]
    assert errors == ""
    tries = [request for request in asked if re.fullmatch(r"GET /org/silent/.*/model\.safetensors", request)]
    assert len(tries) <= 6  # of so many silences is a user's waiting made
    assert not any("onnx" in request or ".bin" in request or "README" in request for request in asked)


@pytest.mark.slow
def test_a_hub_that_is_away_is_noticed_in_its_time(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection and never says a word
        outcomes, errors = in_a_process(
            f"""
            import socket
            from huggingface_hub import constants
            from linstudy import hub

            hub.PATIENCE = 2
            constants.ENDPOINT = "http://127.0.0.1:{silent.getsockname()[1]}"
            try_to_load("stories-1k")
            constants.ENDPOINT = "http://hub.invalid"
            try_to_load("stories-1k")
            socket.getaddrinfo = lambda *args, **kwargs: sleep(60)  # a name server that never answers
            try_to_load("stories-1k")
            constants.HF_HUB_OFFLINE = True
            try_to_load("stories-1k")
            """,
            tmp_path,
            "http://127.0.0.1:9",
        )
    reasons = [r"timed out", r"not known|resolution", r"no answer within 2 seconds", r"HF_HUB_OFFLINE"]
    for (kind, text, quiet), reason in zip(outcomes, reasons, strict=True):
        assert (kind, quiet) == ("ConnectionError", True)
        told = rf"'stories-1k' is not on this machine and the hub at http\S+ is away \(.*({reason}).*load {INSTEAD}"
        assert re.search(told, text), text
    assert errors == ""
