"""Checks of a language model's files that take milliseconds: nothing is loaded, and no large library is imported."""

import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

from jouleproof.errors import UserError

TOKENIZERS = ("tokenizer.json", "tokenizer.model")
JSON = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
TEXTS = ("tokenizer.model", "vocab.json", "vocab.txt", "merges.txt", "added_tokens.json")
GGUF = b"GGUF"
PLAIN = {"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2", "I64", "I32", "U8", "BOOL"}  # the last: positions, masks
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_HUB = re.compile(r"[\w.-]+/[\w.-]+@[\w./-]+")


def check_folder(folder: Path) -> None:
    """Raise UserError unless a folder holds a config, a tokenizer and weights as safetensors, all of them readable, and
    the weights are those of one plain model."""
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
    for name in sorted({*JSON, *TEXTS} & set(names)):
        start_of(folder / name)
    objects = {name: _json(folder / name) for name in JSON if name in names}
    _check_kind(folder, objects["config.json"], names)
    for name in _shards(folder, set(names)):
        start_of(folder / name)


def check_weights(folder: Path) -> None:
    """Raise UserError unless the safetensors files of a folder are whole, and their weights plain numbers."""
    for name in _shards(folder, {path.name for path in folder.iterdir()}):
        _check_file_of_weights(folder / name)


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


def _check_kind(folder: Path, config: dict[str, Any], names: Collection[str]) -> None:
    """Raise UserError if a folder holds what transformers would load as something else than one plain causal model."""
    if "adapter_config.json" in names:
        raise UserError(
            f"models: {folder} holds an adapter to another model (adapter_config.json); merge it into that model and "
            "save the whole"
        )
    for key in ("quantization_config", "compression_config"):
        if quantised := config.get(key):
            method = quantised.get("quant_method", key) if isinstance(quantised, dict) else key
            raise UserError(f"models: {folder} is quantised ({method}); needed: weights in plain floating point")
    if config.get("is_encoder_decoder"):
        raise UserError(f"models: {folder} holds an encoder with its decoder; needed: a causal language model")


def _check_file_of_weights(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        try:
            header = json.loads(file.read(length)) if length <= size - 8 else {}
            tensors = [value for name, value in header.items() if name != "__metadata__"]
            needed = 8 + length + max(tensor["data_offsets"][1] for tensor in tensors)
            types = {tensor["dtype"] for tensor in tensors}
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise UserError(f"models: {path} cannot be loaded: it is no safetensors file, or is cut short") from error
    if size != needed:
        raise UserError(f"models: {path} cannot be loaded: it has {size} bytes, but its header names {needed}")
    if others := sorted(types - PLAIN):
        raise UserError(f"models: {path} holds {', '.join(others)}; needed: weights in plain floating point")


def _shards(folder: Path, names: set[str]) -> list[str]:
    """List the files of weights that transformers reads. Raises UserError if the folder lacks one."""
    if "model.safetensors" in names:
        return ["model.safetensors"]
    index = folder / "model.safetensors.index.json"
    if index.name not in names:
        raise UserError(f"models: {folder} has neither model.safetensors nor {index.name}")
    weight_map = _json(index).get("weight_map")
    shards = sorted(set(map(str, weight_map.values()))) if isinstance(weight_map, dict) else []
    if absent := [name for name in shards if name not in names] or ([] if shards else ["all files"]):
        raise UserError(f"models: {folder} lacks {', '.join(absent):.200}, which {index.name} names")
    return shards


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
