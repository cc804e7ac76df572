"""Quantised arrays as files: safetensors, with the tensors codes and scales, which any library of that kind opens.

The one entry of the metadata, `mxarray`, is JSON: version, format (all fields of its description), shape, axis, and the
SHA-256 of these and of both tensors' bytes, since a damaged file can look like a whole one.
"""

import hashlib
import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from jouleproof.files import atomic
from jouleproof.formats.array import MXArray
from jouleproof.formats.description import FORMATS, MXFormat
from jouleproof.formats.validation import numpy_view

ENTRY, VERSION, DIGEST = "mxarray", 1, "sha256"
LONGEST_DESCRIPTION, LONGEST_NAME = 1 << 16, 100  # characters
LARGEST = 1 << 62  # of any whole number
FIELD_TYPES = {"name": str, "exponent_bits": int, "mantissa_bits": int, "bias": int, "specials": str, "block": int}


def save_mxarray(packed: MXArray, path: Path | str) -> None:
    """Written whole or not at all, its folders too where they are missing; the same array gives the same bytes.

    Raises TypeError where `packed` is no MXArray, ValueError where its format could not be read back (it has the name
    of a built-in one and is another), and jouleproof.errors.UserError where the file cannot be written.
    """
    if not isinstance(packed, MXArray):
        raise TypeError(f"save_mxarray: packed is a {type(packed).__name__}, not an MXArray")
    codes, scales = (np.ascontiguousarray(numpy_view(part)) for part in (packed.codes, packed.scales))
    description = {
        "version": VERSION,
        "format": asdict(packed.fmt),
        "shape": list(packed.shape),
        "axis": packed.axis,
    }
    try:
        if _format(description["format"]) != packed.fmt:
            raise ValueError(f"its format is a {type(packed.fmt).__name__}, more than an MXFormat")
    except ValueError as error:
        raise ValueError(f"save_mxarray: {error}") from error
    text = json.dumps({**description, DIGEST: _digest(description, codes, scales)}, sort_keys=True)
    with atomic(Path(path)) as temporary:
        save_file({"codes": codes, "scales": scales}, temporary, metadata={ENTRY: text})


def load_mxarray(path: Path | str) -> MXArray:
    """What `save_mxarray` wrote, as NumPy. Raises ValueError, with the file's name, on anything else."""
    path = Path(path)
    try:
        if not path.is_file():
            raise ValueError("is not there" if not path.exists() else "is not a file")
        with safe_open(path, "numpy") as file:
            _check_tensors(file)
            metadata = file.metadata() or {}
            codes, scales = (file.get_tensor(name) for name in ("codes", "scales"))
        return _array(metadata, codes, scales)
    except (ValueError, TypeError, OSError, SafetensorError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: no MXArray can be read from it: {reason:.400}") from error


def _check_tensors(file: Any) -> None:
    names = sorted(file.keys())
    if names != ["codes", "scales"]:
        raise ValueError(f"its tensors are {_shown(names)}, not codes and scales")
    for name in names:
        dtype = file.get_slice(name).get_dtype()
        if dtype != "U8":
            raise ValueError(f"{name} has dtype={dtype}, not U8")


def _array(metadata: dict[str, str], codes: np.ndarray, scales: np.ndarray) -> MXArray:
    if set(metadata) != {ENTRY}:
        raise ValueError(f"its metadata has the entries {_shown(sorted(metadata))}, not {ENTRY}")
    description = _object(_parsed(metadata[ENTRY]), ("version", "format", "shape", "axis", DIGEST), "its description")
    digest = description.pop(DIGEST)
    if description["version"] != VERSION or type(description["version"]) is not int:
        raise ValueError(f"its version is {_shown(description['version'])}, not {VERSION}")
    shape, axis = description["shape"], description["axis"]
    if not isinstance(shape, list) or not all(_is_whole(number) for number in (*shape, axis)):
        raise ValueError(f"shape={_shown(shape)}, axis={_shown(axis)} are no list of whole numbers and a whole number")
    array = MXArray(codes, scales, _format(description["format"]), tuple(shape), axis)
    if digest != _digest(description, codes, scales):
        raise ValueError(f"its {DIGEST} does not match its content, so it was changed or damaged")
    return array


def _format(description: Any) -> MXFormat:
    """Raises ValueError where it describes none, or one that goes by a built-in name and is another."""
    description = _object(description, [field.name for field in fields(MXFormat)], "its format")
    for key, value in description.items():
        if type(value) is not FIELD_TYPES[key] or not (isinstance(value, str) or _is_whole(value)):
            raise ValueError(f"its format has {key}={_shown(value)}, which is no {FIELD_TYPES[key].__name__}")
    name = description["name"]
    if not name.isprintable() or len(name) > LONGEST_NAME:
        raise ValueError(f"its format has name={_shown(name)}; needs at most {LONGEST_NAME} printable characters")
    fmt = MXFormat(**description)
    if FORMATS.get(name, fmt) != fmt:
        raise ValueError(f"its format has the name of the built-in {name}, which is another; give it a name of its own")
    return FORMATS.get(name, fmt)


def _parsed(text: str) -> Any:
    if len(text) > LONGEST_DESCRIPTION:
        raise ValueError(f"its description has {len(text)} characters, more than {LONGEST_DESCRIPTION}")
    try:
        return json.loads(text, object_pairs_hook=_without_repetition, parse_constant=_refused, parse_float=_refused)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its description is not the JSON that is expected ({error})") from error


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key is given twice")
    return dict(pairs)


def _refused(number: str) -> NoReturn:
    raise ValueError(f"{_shown(number)} is no whole number")


def _object(value: Any, keys: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != set(keys):
        found = sorted(value) if isinstance(value, dict) else value
        raise ValueError(f"{what} is {_shown(found)}; needs {', '.join(keys)}")
    return value


def _is_whole(number: Any) -> bool:
    return type(number) is int and abs(number) < LARGEST


def _digest(description: dict[str, Any], codes: np.ndarray, scales: np.ndarray) -> str:
    """Hexadecimal."""
    found = hashlib.sha256(json.dumps(description, sort_keys=True).encode())
    found.update(codes.data)
    found.update(scales.data)
    return found.hexdigest()


def _shown(value: Any) -> str:
    return f"{value!r:.100}" if not isinstance(value, int) or abs(value) < LARGEST else "a huge number"
