"""Checks of a language model's files that take milliseconds: nothing is loaded, and no large library is imported."""

import json
import re
from pathlib import Path
from typing import Any

from jouleproof.errors import UserError

TOKENIZERS = ("tokenizer.json", "tokenizer.model")
GGUF = b"GGUF"
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_HUB = re.compile(r"[\w.-]+/[\w.-]+@[\w./-]+")


def check_folder(folder: Path) -> None:
    """Raise UserError unless a folder holds a config, a tokenizer and weights as safetensors, all of them readable."""
    if not folder.is_dir():
        raise UserError(f"models: {folder} {'is a file, not a folder' if folder.exists() else 'does not exist'}")
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise UserError(f"models: {folder} cannot be read ({error.strerror})") from error
    if "config.json" not in names:
        raise UserError(f"models: {folder} has no config.json; it does not hold a transformers model")
    if not set(TOKENIZERS) & set(names):
        raise UserError(f"models: {folder} has no tokenizer ({' or '.join(TOKENIZERS)})")
    weights = [name for name in names if name.endswith(".safetensors")]
    if not weights:
        pickles = [name for name in names if name.endswith((".bin", ".pt", ".pth"))]
        present = f"found {', '.join(pickles)}, which can run code when read; " if pickles else ""
        raise UserError(f"models: {folder} has no safetensors weights; {present}save it with safe_serialization=True")
    _json(folder / "config.json")
    _check_shards(folder, set(names))
    for name in (*sorted(set(TOKENIZERS) & set(names)), *weights):
        start_of(folder / name)


def check_gguf(file: Path) -> None:
    """Raise UserError unless a file is a GGUF file that can be read."""
    if not file.is_file():
        raise UserError(f"models: {file} {'is a folder, not a file' if file.exists() else 'does not exist'}")
    if start_of(file)[:4] != GGUF:
        raise UserError(f"models: {file} is not a GGUF file")


def check_hub(name: str) -> None:
    """Raise UserError unless a name is `organisation/model@revision`."""
    if not _HUB.fullmatch(name):
        missing = "" if "@" in name.strip("@") else "has no revision; "
        raise UserError(f"models: hub:{name} {missing}expected organisation/model@commit")


def start_of(file: Path) -> bytes:
    """Return the first bytes of a file. Raises UserError if it cannot be read, or is a pointer that Git LFS left."""
    try:
        with file.open("rb") as opened:
            start = opened.read(len(LFS_POINTER))
    except OSError as error:
        raise UserError(f"models: {file} cannot be read ({error.strerror})") from error
    if start == LFS_POINTER:
        raise UserError(f"models: {file} is a pointer of Git LFS, cloned without git lfs; run `git lfs pull` there")
    return start


def _check_shards(folder: Path, names: set[str]) -> None:
    """Raise UserError if an index of weights names a file that the folder lacks."""
    index = folder / "model.safetensors.index.json"
    if index.name not in names or "model.safetensors" in names:
        return
    weight_map = _json(index).get("weight_map")
    shards = set(map(str, weight_map.values())) if isinstance(weight_map, dict) else set()
    if absent := sorted(shards - names):
        raise UserError(f"models: {folder} lacks {', '.join(absent):.200}, which {index.name} names")


def _json(file: Path) -> dict[str, Any]:
    """Read a JSON object. Raises UserError if the file holds anything else."""
    start_of(file)
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"models: {file} is not valid JSON ({' '.join(str(error).split()):.200})") from error
    if not isinstance(value, dict):
        raise UserError(f"models: {file} is not a JSON object")
    return value
