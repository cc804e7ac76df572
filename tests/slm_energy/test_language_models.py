"""Models that a config names: checked before any job, found again after a change, and told apart in tables."""

import importlib.util
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from jouleproof.errors import UserError
from jouleproof.models.hugging import as_llama
from jouleproof.paths import data_files
from jouleproof.settings import read_settings
from jouleproof.studies.slm_energy.experiments.quality import quality
from jouleproof.studies.slm_energy.language_models import BUILT_IN, BUILT_IN_NAME, TableNames, language_models
from jouleproof.study import find_study
from tests.models.small import DECODER, random_decoder
from tests.slm_energy.small_models import CONFIG, PROBLEMS

STUDY = find_study("slm_energy")
COMMIT = "0" * 40
FILES = ("config.json", "tokenizer.json", "model.safetensors")


@pytest.fixture(autouse=True)
def working_folder(tmp_path, monkeypatch):
    """Change to a folder with two folders and two GGUF files that look like models."""
    for folder in ("a/model", "b/model"):
        (tmp_path / folder).mkdir(parents=True)
        for name in FILES:
            (tmp_path / folder / name).write_text("{}", encoding="utf-8")
    for name in ("model.gguf", "plain"):
        (tmp_path / name).write_bytes(b"GGUF\3\0\0\0")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def settings_of(*names, **knobs):
    return read_settings({"size": "mine", "slm_energy": {"quality": {"models": list(names), **knobs}}}, {})


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("folder:nowhere", "language model nowhere does not exist"),
        ("folder:~/nowhere", "/nowhere does not exist"),
        ("folder:$HOME/a/model", "$HOME/a/model does not exist"),
        ("folder:model.gguf", "model.gguf is a file, not a folder"),
        ("folder:a", "a has no config.json"),
        ("gguf:a/model", "a/model is a folder, not a file"),
        ("gguf:a/model/config.json", "a/model/config.json is not a GGUF file"),
        ("hub:model", "hub:model has no revision; expected organisation/model@commit"),
        (f"hub:a/b@{COMMIT}", f"models: 'hub:a/b@{COMMIT}': set slm_energy.quality.hub to true"),
        ("tests.slm_energy.small_models:NOTHING", "has no attribute 'NOTHING'"),
        ("tests.slm_energy.small_models:CONFIG", "not a function"),
    ],
)
def test_what_is_no_model_is_one_line_before_any_job(name, complaint):
    with pytest.raises(UserError) as caught:
        settings_of(BUILT_IN, name)
    assert "\n" not in str(caught.value) and complaint in str(caught.value)
    assert "config: workflows/config: slm_energy.quality" in str(caught.value)


@pytest.mark.parametrize("twice", [["folder:a/model", "folder:./a/model/"], [BUILT_IN] * 2, ["gguf:plain"] * 2])
def test_one_model_that_is_listed_twice_is_refused(twice):
    with pytest.raises(UserError, match="is listed twice"):
        settings_of(*twice)


def test_a_library_that_is_not_installed_is_said_before_any_job(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "transformers" else find(name))
    with pytest.raises(UserError, match="transformers is not installed; run: python workflows/lock.py install llm"):
        settings_of("folder:a/model")
    settings_of(BUILT_IN)


def test_models_are_checked_without_large_libraries():
    listed = ["smollm2_135m", "folder:~/a/model", "gguf:model.gguf", f"hub:a/b@{COMMIT}"]
    code = (
        "import sys; from jouleproof.settings import read_settings; "
        f"read_settings({{'size': 'x', 'slm_energy': {{'quality': {{'models': {listed}, 'hub': True}}}}}}, {{}}); "
        "print(*{'torch', 'transformers', 'huggingface_hub'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_files_of_models_are_those_of_the_experiment_that_reads_them(working_folder):
    config = settings_of(BUILT_IN, "folder:~/a/model", "folder:b/model", "gguf:plain").configs["slm_energy"]
    knobs = STUDY.knobs(STUDY.experiments["quality"], STUDY.knobs_json(STUDY.experiments["quality"], config))
    listed = [working_folder / "a/model" / name for name in sorted(FILES)]
    listed += [Path("b/model", name) for name in sorted(FILES)]
    assert data_files(knobs.model_dump()) == [*listed, Path("plain")]
    assert data_files(config.ladder.model_dump()) == []


class Named:
    def __init__(self, name):
        self.name = name


@pytest.mark.parametrize(
    ("listed", "shown"),
    [
        (["folder:/x/model", "gguf:/x/other.gguf", f"hub:org/small@{COMMIT}"], ["model", "other", "small"]),
        (["folder:/x/a/model", "folder:/x/b/model"], ["a/model", "b/model"]),
        (["folder:/x/a/m/final", "folder:/x/b/m/final", "folder:/x/last"], ["a/m/final", "b/m/final", "last"]),
        (["folder:/x/model", "gguf:/x/model.gguf"], ["x/model", "model.gguf"]),
        (["gguf:/x/model", "gguf:/y/model"], ["x/model", "y/model"]),
        (["hub:one/model@main", "hub:other/model@main"], ["one/model", "other/model"]),
        (["hub:one/model@v1", "hub:one/model@v2"], ["hub:one/model@v1", "hub:one/model@v2"]),
        ([f"folder:/x/{BUILT_IN_NAME}"], [f"x/{BUILT_IN_NAME}"]),
        (["folder:/model", "folder:/a/model"], ["folder:/model", "a/model"]),
    ],
)
def test_models_have_short_names_that_tell_them_apart(listed, shown):
    names = TableNames(listed)
    assert [names.name_of(name, Named("any")) for name in listed] == shown


def test_a_model_that_calls_itself_like_another_has_its_name_in_the_config():
    listed = ["mine:one", "mine:other", "folder:/x/folded", "mine:third", "mine:fourth"]
    names = TableNames(listed)
    called = ["bigram", "bigram", "any", "folded", BUILT_IN_NAME]
    shown = [names.name_of(name, Named(model)) for name, model in zip(listed, called, strict=True)]
    assert shown == ["bigram", "mine:other", "folded", "mine:third", "mine:fourth"]
    assert names.name_of(BUILT_IN, Named(BUILT_IN_NAME)) == BUILT_IN_NAME


def test_two_folders_of_one_name_are_two_models_in_the_table(working_folder):
    for seed, folder in enumerate(("a/model", "b/model")):
        _save(working_folder / folder, seed)
    config = CONFIG.model_copy(deep=True)
    config.quality.models, config.quality.tasks = ["folder:a/model", "folder:b/model"], ["sums"]
    config.quality.formats, config.quality.items = ["float32"], {"sums": 6}
    table = quality(config, PROBLEMS, PROBLEMS, None)
    assert table.groupby("model").size().to_dict() == {"a/model": 6, "b/model": 6}


def test_user_defined_functions_are_found():
    (name,) = language_models([BUILT_IN, "folder:a/model", CONFIG.quality.models[0]])
    assert name == CONFIG.quality.models[0]


def _save(folder, seed):
    """Write a model with random weights and a tokenizer of bytes."""
    network = as_llama(random_decoder(replace(DECODER, vocabulary=256), seed))
    network.save_pretrained(folder)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: number for number, letter in enumerate(letters)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"})
    (folder / "tokenizer_config.json").write_text(settings, encoding="utf-8")
