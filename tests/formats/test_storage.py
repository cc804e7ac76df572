"""Files of quantised arrays are read back bit for bit, and invalid files are refused."""

import json
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import save

from jouleproof.errors import UserError
from jouleproof.formats import FORMATS, MXArray, MXFormat, load_mxarray, quantize, save_mxarray
from tests.formats import custom_formats
from tests.formats.generated import REPEATABLE, numbers
from tests.formats.refusals import refusal


def packed_numbers(shape=(3, 70), fmt="mxfp6_e2m3", axis=-1, seed=0):
    return quantize(numbers(shape, seed), fmt, axis=axis)


def same(a, b):
    fields = [(array.fmt, array.shape, array.axis) for array in (a, b)]
    return fields[0] == fields[1] and np.array_equal(a.codes, b.codes) and np.array_equal(a.scales, b.scales)


@pytest.fixture
def stored(tmp_path):
    """A small valid file."""
    save_mxarray(packed_numbers((2, 8), FORMATS["mxfp4"]), tmp_path / "a.mx")
    return tmp_path / "a.mx"


def parts(path):
    """Return the description (parsed JSON), codes and scales of a file."""
    with safe_open(path, "numpy") as file:
        return json.loads(file.metadata()["mxarray"]), file.get_tensor("codes"), file.get_tensor("scales")


def written(path, description, tensors, **more_metadata):
    """Write a file of these parts, as a malicious program could."""
    text = description if isinstance(description, str) else json.dumps(description)
    path.write_bytes(save(tensors, metadata={"mxarray": text, **more_metadata}))
    return path


def signed(description, codes, scales):
    """Return the description with the digest that matches it."""
    if not isinstance(description, dict):
        return description
    unsigned = {key: value for key, value in description.items() if key != "sha256"}
    content = json.dumps(unsigned, sort_keys=True).encode() + codes.tobytes() + scales.tobytes()
    return {**unsigned, "sha256": sha256(content).hexdigest()}


def complaint(path):
    """Return the message of the error that reading the file must raise."""
    message = refusal(ValueError, load_mxarray, path, longest=600)
    assert message.startswith(f"{path}: cannot be read as an MXArray: ")
    return message


def readable(stored, changes, change_of):
    """Return the changes after which the file can still be read.

    change_of: function from (description, codes, scales, change) to the arguments of `written`.
    """
    description, codes, scales = parts(stored)
    still_read = []
    for name, change in changes.items():
        written(stored, *change_of(description, codes, scales, change))
        try:
            complaint(stored)
        except AssertionError as error:
            still_read.append(f"{name}: {error}")
    return still_read


@settings(REPEATABLE, max_examples=40)
@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=3),
    st.integers(0, 2),
    st.sampled_from([*FORMATS.values(), *custom_formats.COMPILED]),
    st.integers(0, 99),
)
def test_an_array_reads_back_bit_for_bit(tmp_path_factory, shape, axis, fmt, seed):
    packed = packed_numbers(tuple(shape), fmt, axis % len(shape), seed)
    path = tmp_path_factory.mktemp("storage") / "a.mx"
    save_mxarray(packed, path)
    assert same(load_mxarray(path), packed)


def test_a_tensor_reads_back_as_an_array_of_the_same_codes(tmp_path, torch):
    x = numbers((3, 70))
    save_mxarray(quantize(torch.from_numpy(x), "mxfp8_e4m3"), str(tmp_path / "a.mx"))
    assert same(load_mxarray(str(tmp_path / "a.mx")), quantize(x, "mxfp8_e4m3"))


def test_codes_that_are_views_are_stored_in_their_own_order(tmp_path):
    packed = packed_numbers((4, 64))
    codes = np.asfortranarray(packed.codes)
    save_mxarray(replace(packed, codes=codes, scales=np.repeat(packed.scales, 2, axis=1)[:, ::2]), tmp_path / "a.mx")
    assert same(load_mxarray(tmp_path / "a.mx"), packed)


def test_what_is_read_is_of_the_built_in_format_and_may_be_written_to(stored):
    packed = load_mxarray(stored)
    assert isinstance(packed, MXArray) and packed.fmt is FORMATS["mxfp4"]
    quantize(np.zeros((2, 8), dtype=np.float32), "mxfp4", out=packed)
    assert not packed.dequantize().any()


def test_the_same_array_gives_the_same_bytes(tmp_path):
    for number in range(4):
        save_mxarray(packed_numbers(), tmp_path / str(number))
    assert len({(tmp_path / str(number)).read_bytes() for number in range(4)}) == 1


def test_other_programs_read_codes_and_scales_by_name(stored):
    description, codes, scales = parts(stored)
    assert description["format"]["name"] == "mxfp4" and codes.shape == (2, 1, 16) and scales.shape == (2, 1)


def test_a_file_that_is_overwritten_is_never_half_there(stored, monkeypatch):
    before = stored.read_bytes()

    def full(tensors, path, metadata):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("jouleproof.formats.storage.save_file", full)
    with pytest.raises(UserError, match="No space left"):
        save_mxarray(packed_numbers(), stored)
    assert stored.read_bytes() == before and [*stored.parent.iterdir()] == [stored]


def test_every_truncation_is_an_error(stored):
    whole = stored.read_bytes()
    for length in range(len(whole)):
        stored.write_bytes(whole[:length])
        complaint(stored)


@pytest.mark.parametrize("mask", [0x01, 0x10, 0xFF])
def test_a_flipped_byte_is_an_error_or_changes_nothing(stored, mask):
    """Harmless bytes are the spaces that pad the header, or an equivalent spelling of a shape."""
    whole, packed = stored.read_bytes(), load_mxarray(stored)
    harmless = 0
    for place in range(len(whole)):
        stored.write_bytes(whole[:place] + bytes([whole[place] ^ mask]) + whole[place + 1 :])
        try:
            assert same(load_mxarray(stored), packed)
            harmless += 1
        except ValueError as error:
            assert str(error).startswith(f"{stored}: ")
    assert harmless < 8


def test_what_is_no_file_of_this_kind_is_an_error_that_says_so(stored, tmp_path):
    assert "does not exist" in complaint(tmp_path / "none.mx") and "is not a file" in complaint(tmp_path)
    with pytest.raises(ValueError, match="cannot be read as an MXArray"):
        load_mxarray("a\0b")
    for content in (b"", b"\x80\x04K\x01.", b"[" * 5_000, b"\xff" * 64, bytes(64), stored.read_bytes() + b"\0"):
        stored.write_bytes(content)
        assert complaint(stored), content


TENSORS = {
    "none": lambda codes, scales: {},
    "one": lambda codes, scales: {"codes": codes},
    "another name": lambda codes, scales: {"codes": codes, "scale": scales},
    "signed": lambda codes, scales: {"codes": codes.view(np.int8), "scales": scales},
    "wide scales": lambda codes, scales: {"codes": codes, "scales": scales.astype(np.float32)},
    "short": lambda codes, scales: {"codes": codes[:, :, :-1].copy(), "scales": scales},
    "exchanged": lambda codes, scales: {"codes": scales, "scales": codes},
}


def test_tensors_that_do_not_fit_are_an_error(stored):
    def with_tensors(description, codes, scales, change):
        return description, change(codes, scales)

    assert readable(stored, TENSORS, with_tensors) == []


def nested(depth):
    return "[" * depth + "]" * depth


def with_format(**changed):
    return lambda description: {**description, "format": {**description["format"], **changed}}


DESCRIPTIONS = {
    "not JSON": lambda description: "{",
    "no object": lambda description: [],
    "NaN": lambda description: json.dumps({**description, "axis": float("nan")}),
    "deep": lambda description: nested(30_000),
    "too large": lambda description: {**description, "format": {**description["format"], "name": "x" * 70_000}},
    "a key twice": lambda description: json.dumps(description).replace('"axis": 1', '"axis": 0, "axis": 1'),
    "a key more": lambda description: {**description, "more": 1},
    "version 2": lambda description: {**description, "version": 2},
    "version true": lambda description: {**description, "version": True},
    "no shape": lambda description: {key: description[key] for key in description if key != "shape"},
    "shape of text": lambda description: {**description, "shape": "28"},
    "shape of booleans": lambda description: {**description, "shape": [True, 8]},
    "empty shape": lambda description: {**description, "shape": [0, 8]},
    "other number of blocks": lambda description: {**description, "shape": [2, 33]},
    "huge shape": lambda description: {**description, "shape": [2, 10**4_000]},
    "longer than any number": lambda description: json.dumps(description).replace(
        "[2, 8]", "[2, 1" + "0" * 9_000 + "]"
    ),
    "axis of text": lambda description: {**description, "axis": "1"},
    "other axis": lambda description: {**description, "axis": 0},
    "format by name": lambda description: {**description, "format": "mxfp4"},
    "format with more": with_format(code="import os"),
    "bits of booleans": with_format(name="mine", mantissa_bits=True),
    "name of a number": with_format(name=4),
    "name of two lines": with_format(name="a\nb"),
    "name of half a character": with_format(name="\ud800"),
    "long name": with_format(name="x" * 101),
    "a format that there cannot be": with_format(name="mine", mantissa_bits=9),
    "a built-in name for another format": with_format(block=16),
}


def test_a_description_that_is_not_as_it_was_written_is_an_error(stored):
    def with_description(description, codes, scales, change):
        return signed(change(description), codes, scales), {"codes": codes, "scales": scales}

    assert readable(stored, DESCRIPTIONS, with_description) == []


DIGESTS = {
    "none": lambda description: {key: value for key, value in description.items() if key != "sha256"},
    "no text": lambda description: {**description, "sha256": None},
    "another": lambda description: {**description, "sha256": "0" * 64},
    "of another format": with_format(name="mine"),
    "of another length": lambda description: {**description, "shape": [2, 9]},
}


def test_a_digest_that_does_not_match_is_an_error(stored):
    description, codes, scales = parts(stored)
    tensors = {"codes": codes, "scales": scales}
    said = {name: complaint(written(stored, change(description), tensors)) for name, change in DIGESTS.items()}
    assert {name: message for name, message in said.items() if "sha256" not in message} == {}


def test_a_digest_that_another_program_computed_is_read(stored):
    description, codes, scales = parts(stored)
    described = signed(with_format(name="mine")(description), codes, scales)
    written(stored, described, {"codes": codes, "scales": scales})
    assert load_mxarray(stored).fmt == MXFormat("mine", 2, 1, bias=1)


def test_metadata_with_an_entry_more_or_none_is_an_error_that_names_it(stored):
    description, codes, scales = parts(stored)
    assert "'more'" in complaint(written(stored, description, {"codes": codes, "scales": scales}, more="1"))
    stored.write_bytes(save({"codes": codes, "scales": scales}))
    assert "must have the entry mxarray alone" in complaint(stored)


def test_what_could_not_be_read_back_is_not_saved(tmp_path):
    @dataclass(frozen=True)
    class Other(MXFormat):
        pass

    with pytest.raises(ValueError, match="save_mxarray: .*built-in mxfp4"):
        save_mxarray(packed_numbers(fmt=MXFormat("mxfp4", 2, 1, bias=1, block=64)), tmp_path / "a.mx")
    with pytest.raises(ValueError, match="save_mxarray: .*Other"):
        save_mxarray(packed_numbers(fmt=Other("mine", 2, 1, bias=1)), tmp_path / "a.mx")
    for packed in (None, np.zeros(4, dtype=np.uint8), "mxfp4"):
        assert "not an MXArray" in refusal(TypeError, save_mxarray, packed, tmp_path / "a.mx")
    assert not [*tmp_path.iterdir()]


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        save_mxarray(packed_numbers(), tmp_path / "file" / "a.mx")
