"""Storage of quantised arrays in safetensors files: codes and scales, two tensors that any safetensors library reads.

The metadata has one entry, `mxarray`, in JSON: version, format (all fields of its description), shape, axis, and the
SHA-256 of these fields and of the bytes of both tensors, because a damaged file can look intact.
"""

import hashlib
import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from jouleproof.errors import duplicates
from jouleproof.files import atomic
from jouleproof.formats.array import MXArray
from jouleproof.formats.description import FORMATS, MXFormat
from jouleproof.formats.validation import numpy_view

ENTRY, VERSION, DIGEST = "mxarray", 1, "sha256"
LONGEST_DESCRIPTION, LONGEST_NAME = 1 << 16, 100  # characters
LARGEST = 1 << 62  # bound of the integers that are accepted
FIELD_TYPES = {"name": str, "exponent_bits": int, "mantissa_bits": int, "bias": int, "specials": str, "block": int}


def save_mxarray(packed: MXArray, path: Path | str) -> None:
    """Write the array to a file atomically, and create missing folders. Equal arrays give equal bytes.

    Raises TypeError if `packed` is not an MXArray, ValueError if its format could not be read back (it has the name of
    a built-in format but differs from it), and jouleproof.errors.UserError if the file cannot be written.
    """
    if not isinstance(packed, MXArray):
        raise TypeError(f"save_mxarray: packed is a {type(packed).__name__}, not an MXArray")
    codes, scales = (np.ascontiguousarray(numpy_view(array)) for array in (packed.codes, packed.scales))
    description = {
        "version": VERSION,
        "format": asdict(packed.fmt),
        "shape": list(packed.shape),
        "axis": packed.axis,
    }
    try:
        if _format(description["format"]) != packed.fmt:
            raise ValueError(f"its format is a {type(packed.fmt).__name__}, a subclass of MXFormat")
    except ValueError as error:
        raise ValueError(f"save_mxarray: {error}") from error
    text = json.dumps({**description, DIGEST: _digest(description, codes, scales)}, sort_keys=True)
    with atomic(Path(path)) as temporary:
        save_file({"codes": codes, "scales": scales}, temporary, metadata={ENTRY: text})


def load_mxarray(path: Path | str) -> MXArray:
    """Read an array that `save_mxarray` wrote, as NumPy. Raises ValueError, which names the file, on any other file."""
    path = Path(path)
    try:
        if not path.is_file():
            raise ValueError("does not exist" if not path.exists() else "is not a file")
        with safe_open(path, "numpy") as file:
            _check_tensors(file)
            metadata = file.metadata() or {}
            codes, scales = (file.get_tensor(name) for name in ("codes", "scales"))
        return _array(metadata, codes, scales)
    except (ValueError, TypeError, OSError, SafetensorError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: cannot be read as an MXArray: {reason:.400}") from error


def _check_tensors(file: Any) -> None:
    names = sorted(file.keys())
    if names != ["codes", "scales"]:
        raise ValueError(f"its tensors must be codes and scales, got {_shown(names)}")
    for name in names:
        dtype = file.get_slice(name).get_dtype()
        if dtype != "U8":
            raise ValueError(f"{name} must have dtype U8, got {dtype}")


def _array(metadata: dict[str, str], codes: np.ndarray, scales: np.ndarray) -> MXArray:
    if set(metadata) != {ENTRY}:
        raise ValueError(f"its metadata must have the entry {ENTRY} alone, got {_shown(sorted(metadata))}")
    description = _object(_parsed(metadata[ENTRY]), ("version", "format", "shape", "axis", DIGEST), "its description")
    digest = description.pop(DIGEST)
    if description["version"] != VERSION or type(description["version"]) is not int:
        raise ValueError(f"its version must be {VERSION}, got {_shown(description['version'])}")
    shape, axis = description["shape"], description["axis"]
    if not isinstance(shape, list) or not all(_is_whole(number) for number in (*shape, axis)):
        raise ValueError(
            f"its shape must be a list of integers and its axis an integer, got {_shown(shape)} and {_shown(axis)}"
        )
    array = MXArray(codes, scales, _format(description["format"]), tuple(shape), axis)
    if digest != _digest(description, codes, scales):
        raise ValueError(f"its {DIGEST} does not match its content: the file was changed or damaged")
    return array


def _format(description: Any) -> MXFormat:
    """Build a format from its description. Raises ValueError if it is invalid or redefines a built-in name."""
    description = _object(description, [field.name for field in fields(MXFormat)], "its format")
    for key, value in description.items():
        if type(value) is not FIELD_TYPES[key] or not (isinstance(value, str) or _is_whole(value)):
            raise ValueError(f"{key} of its format must be of type {FIELD_TYPES[key].__name__}, got {_shown(value)}")
    name = description["name"]
    if not name.isprintable() or len(name) > LONGEST_NAME:
        raise ValueError(
            f"the name of its format must have at most {LONGEST_NAME} printable characters, got {_shown(name)}"
        )
    fmt = MXFormat(**description)
    if FORMATS.get(name, fmt) != fmt:
        raise ValueError(f"its format has the name of the built-in {name} but differs from it; choose another name")
    return FORMATS.get(name, fmt)


def _parsed(text: str) -> Any:
    if len(text) > LONGEST_DESCRIPTION:
        raise ValueError(f"its description must have at most {LONGEST_DESCRIPTION} characters, got {len(text)}")
    try:
        return json.loads(text, object_pairs_hook=_without_repetition, parse_constant=_refused, parse_float=_refused)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its description is not valid JSON ({error})") from error


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if repeated := duplicates(key for key, _ in pairs):
        raise ValueError(f"duplicate key {_shown(repeated[0])}")
    return dict(pairs)


def _refused(number: str) -> NoReturn:
    raise ValueError(f"{_shown(number)} is not an integer")


def _object(value: Any, keys: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != set(keys):
        given = sorted(value) if isinstance(value, dict) else value
        raise ValueError(f"{what} must have the keys {', '.join(keys)}; got {_shown(given)}")
    return value


def _is_whole(number: Any) -> bool:
    return type(number) is int and abs(number) < LARGEST


def _digest(description: dict[str, Any], codes: np.ndarray, scales: np.ndarray) -> str:
    """Return the SHA-256 of the description and both tensors, in hexadecimal."""
    digest = hashlib.sha256(json.dumps(description, sort_keys=True).encode())
    digest.update(codes.data)
    digest.update(scales.data)
    return digest.hexdigest()


def _shown(value: Any) -> str:
    return f"{value!r:.100}" if not isinstance(value, int) or abs(value) < LARGEST else "a huge number"
