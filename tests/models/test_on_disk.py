"""Files of a model that lack something are refused without loading anything."""

import json
import os
import subprocess
import sys

import pytest

from jouleproof.errors import UserError
from jouleproof.models.on_disk import LFS_POINTER, check_folder, check_gguf, check_hub

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def folder(tmp_path):
    """Return a folder with the files of a model, which check_folder accepts."""
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(bytes(8))
    check_folder(tmp_path)
    return tmp_path


def refused(check, value):
    with pytest.raises(UserError) as caught:
        check(value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_pointer_of_git_lfs_and_a_link_to_nothing_are_named(folder, name):
    (folder / name).write_bytes(LFS_POINTER + b"v1\noid sha256:0\n")
    assert f"{name} is a pointer of Git LFS" in refused(check_folder, folder)
    (folder / name).unlink()
    (folder / name).symlink_to("nowhere")
    assert f"{name} cannot be read (No such file or directory)" in refused(check_folder, folder)


@pytest.mark.parametrize(
    ("text", "complaint"), [("{", "config.json is not valid JSON"), ("[]", "is not a JSON object")]
)
def test_a_config_that_is_no_json_object_is_refused(folder, text, complaint):
    (folder / "config.json").write_text(text, encoding="utf-8")
    assert complaint in refused(check_folder, folder)


def test_a_folder_that_lacks_a_shard_is_refused(folder):
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}), encoding="utf-8")
    assert "lacks model-00002-of-00002.safetensors, which model.saf" in refused(check_folder, folder)
    (folder / "model-00002-of-00002.safetensors").write_bytes(bytes(8))
    check_folder(folder)


def test_a_file_for_a_folder_and_a_folder_for_a_file_are_refused(folder):
    assert "is a file, not a folder" in refused(check_folder, folder / "config.json")
    assert "nowhere does not exist" in refused(check_folder, folder / "nowhere")
    assert "is a folder, not a file" in refused(check_gguf, folder)
    assert "is not a GGUF file" in refused(check_gguf, folder / "config.json")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_weights_that_may_not_be_read_are_named(folder):
    (folder / "model.safetensors").chmod(0)
    assert "model.safetensors cannot be read (Permission denied)" in refused(check_folder, folder)


@pytest.mark.parametrize("name", ["a/b", "a/b@", "a@main", "/b@main", "a/b/c@main", "a/b@x@y", "a b/c@main", ""])
def test_a_name_on_the_hub_without_its_parts_is_refused(name):
    assert "expected organisation/model@commit" in refused(check_hub, name)


def test_a_name_on_the_hub_with_a_commit_is_taken():
    check_hub(f"HuggingFaceTB/SmolLM2-135M@{COMMIT}")


def test_nothing_large_is_imported():
    code = "import sys, jouleproof.models.on_disk; print(*{'torch', 'transformers', 'gguf'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.strip() == b""
