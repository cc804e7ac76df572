"""The header of a GGUF file is read, or the file is refused in one line that names it and says what is wrong."""

import struct
import tracemalloc

import gguf
import numpy as np
import pytest

from jouleproof.errors import UserError
from jouleproof.models.gguf_header import read_header
from jouleproof.models.on_disk import LFS_POINTER


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "small.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_uint32("llama.block_count", 2)
    writer.add_float32("llama.rope.scaling.factor", 0.1)
    writer.add_bool("llama.attention.causal", True)
    writer.add_array("tokenizer.ggml.tokens", ["a", "ж", ""])
    writer.add_array("tokenizer.ggml.token_type", [1, 3, 1])
    matrix = np.arange(64, dtype=np.float32).reshape(2, 32)
    kind = gguf.GGMLQuantizationType.Q8_0
    writer.add_tensor("blk.0.ffn_up.weight", gguf.quants.quantize(matrix, kind), raw_dtype=kind)
    writer.add_tensor("blk.0.ffn_norm.weight", matrix[0])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def refusal(path):
    with pytest.raises(UserError) as caught:
        read_header(path)
    message = str(caught.value)
    assert "\n" not in message and str(path) in message
    return message


def changed(path, at, value):
    content = bytearray(path.read_bytes())
    content[at : at + len(value)] = value
    path.write_bytes(content)
    return path


def test_fields_and_tensors_are_those_that_the_library_gguf_reads(path):
    header, reader = read_header(path), gguf.GGUFReader(path)
    theirs = {name: field.contents() for name, field in reader.fields.items() if not name.startswith("GGUF.")}
    assert theirs.pop("llama.rope.scaling.factor") == pytest.approx(0.1)
    assert header.fields == theirs | {"llama.rope.scaling.factor": 0.1}
    assert {name: (tensor.kind, tensor.start) for name, tensor in header.tensors.items()} == {
        tensor.name: (tensor.tensor_type.name, tensor.data_offset) for tensor in reader.tensors
    }
    assert header.tensors["blk.0.ffn_up.weight"].shape == (2, 32) and header.rounded == "Q8_0"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is not a GGUF file"),
        (b"GG", "is not a GGUF file"),
        (b"PK\3\4" + bytes(100), "is not a GGUF file"),
        (LFS_POINTER + b"v1\noid", "is a pointer of Git LFS"),
        (b"GGUF", "truncated or damaged"),
        (b"GGUF" + struct.pack("<IQQ", 1, 0, 0), "version 1 of the format; known: 2, 3"),
        (b"GGUF" + struct.pack("<IQQ", 9, 0, 0), "version 9"),
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "big-endian"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 2**63), "truncated or damaged"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**63, 0), "truncated or damaged"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 2**62), "truncated or damaged"),
        (b"GGUF" + struct.pack("<IQQQ1sIIQ", 3, 0, 1, 1, b"a", 9, 4, 2**62), "truncated or damaged"),
        (b"GGUF" + struct.pack("<IQQQ1sIIQ", 3, 0, 1, 1, b"a", 9, 8, 2**62), "truncated or damaged"),
        (b"GGUF" + struct.pack("<IQQQ1sIIQ", 3, 0, 1, 1, b"a", 9, 9, 1), "elements of the unknown type 9"),
        (b"GGUF" + struct.pack("<IQQQ1sI", 3, 0, 1, 1, b"a", 77), "unknown type 77"),
        (b"GGUF" + struct.pack("<IQQQ2s", 3, 0, 1, 2, b"\xff\xff"), "can't decode"),
        (b"GGUF" + struct.pack("<IQQQ1sI", 3, 1, 0, 1, b"t", 2**31), "2147483648 dimensions"),
        (b"GGUF" + struct.pack("<IQQQ1sIQQIQ", 3, 1, 0, 1, b"t", 2, 2**33, 2**33, 0, 0), "tensor t ends at byte"),
        (b"GGUF" + struct.pack("<IQQQ1sIQIQ", 3, 1, 0, 1, b"t", 1, 4, 0, 2**60), "tensor t ends at byte"),
        (b"GGUF" + struct.pack("<IQQQ1sIQIQ", 3, 1, 0, 1, b"t", 1, 4, 99, 0), "tensor t has the unknown type 99"),
        (b"GGUF" + struct.pack("<IQQQ1sIQIQ", 3, 1, 0, 1, b"t", 1, 4, 2, 0), "rows of 4, which Q4_0 cannot hold"),
    ],
)
def test_anything_else_is_refused_without_the_memory_that_it_claims(path, content, complaint):
    path.write_bytes(content)
    tracemalloc.start()
    assert complaint in refusal(path)
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


def test_what_is_no_file_is_refused(tmp_path):
    assert "does not exist" in refusal(tmp_path / "no.gguf")
    assert "is a folder" in refusal(tmp_path)


@pytest.mark.parametrize("left", [0.05, 0.3, 0.6, 0.9, 0.99])
def test_a_truncated_file_is_refused(path, left):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * left)])
    assert "truncated" in refusal(path)


KEY = struct.pack("<Q1sII", 1, b"k", 4, 7)
TENSOR = struct.pack("<Q1sIQIQ", 1, b"t", 1, 4, 0, 0)


@pytest.mark.parametrize(("counts", "table", "twice"), [((0, 2), KEY, "k"), ((2, 0), TENSOR, "tensor t")])
def test_a_key_or_tensor_that_occurs_twice_is_refused(path, counts, table, twice):
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, *counts) + 2 * table + bytes(64))
    assert f"{twice} occurs twice" in refusal(path)


def test_no_change_of_a_byte_ends_in_another_error_than_a_refusal(path):
    content = path.read_bytes()
    generator = np.random.default_rng(0)
    for _ in range(200):
        changed(path, int(generator.integers(len(content))), generator.bytes(1))
        try:
            read_header(path)
        except UserError as error:
            assert "\n" not in str(error)
        path.write_bytes(content)
