"""A language model is read from a small GGUF file; wrong files are refused in one line."""

import gguf
import numpy as np
import pytest
import torch

from jouleproof.errors import UserError
from jouleproof.models.smollm2 import load_smollm2
from tests.models.small import DECODER, random_decoder

LETTERS = ["h", "o", "w", "m", "a", "n", "y", "Ġ", *"0123456789", "?"]
MERGES = ["h o", "ho w", "Ġ m", "1 2"]
WORDS = ["<|im_start|>", "<|im_end|>", *LETTERS, *(merge.replace(" ", "") for merge in MERGES)]
TOKENS = [*WORDS, *(f"unused {number}" for number in range(DECODER.vocabulary - len(WORDS)))]
CONTROL, NORMAL = 3, 1
NAMES = {
    "attention_norm": "attn_norm",
    "attention.q": "attn_q",
    "attention.k": "attn_k",
    "attention.v": "attn_v",
    "attention.out": "attn_output",
    "mlp_norm": "ffn_norm",
    "mlp.gate": "ffn_gate",
    "mlp.up": "ffn_up",
    "mlp.down": "ffn_down",
}


def gguf_name(ours):
    stem = ours.removesuffix(".weight")
    if stem in ("embedding", "norm"):
        return {"embedding": "token_embd", "norm": "output_norm"}[stem] + ".weight"
    _, number, part = stem.split(".", 2)
    return f"blk.{number}.{NAMES[part]}.weight"


def interleaved(weight, heads):
    """Interleave the halves of every head's rows, as llama.cpp's converter does."""
    rows = []
    for head in np.split(weight, heads):
        first, second = np.split(head, 2)
        rows += [row for pair in zip(first, second, strict=True) for row in pair]
    return np.array(rows)


def write(path, *, fields=None, quantized=(), without=(), extra=None):
    """Write a file of `random_decoder()`. fields: replace those with the same names; None leaves a field out."""
    writer = gguf.GGUFWriter(path, "llama")
    add = {
        "llama.vocab_size": DECODER.vocabulary,
        "llama.block_count": DECODER.layers,
        "llama.embedding_length": DECODER.width,
        "llama.feed_forward_length": DECODER.mlp_width,
        "llama.attention.head_count": DECODER.heads,
        "llama.attention.head_count_kv": DECODER.kv_heads,
        "llama.rope.freq_base": DECODER.rope_base,
        "llama.attention.layer_norm_rms_epsilon": DECODER.norm_epsilon,
        "tokenizer.ggml.pre": "smollm",
        **(fields or {}),
    }
    for name, value in add.items():
        if value is not None:
            {int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}[type(value)](name, value)
    writer.add_token_list(TOKENS)
    writer.add_token_types([CONTROL, CONTROL] + [NORMAL] * (len(TOKENS) - 2))
    writer.add_token_merges(MERGES)
    tensors = {gguf_name(name): value.numpy() for name, value in random_decoder().state_dict().items()}
    for name, value in (tensors | (extra or {})).items():
        if name in without:
            continue
        if ".attn_q." in name or ".attn_k." in name:
            value = interleaved(value, DECODER.heads if ".attn_q." in name else DECODER.kv_heads)
        if name in quantized:
            kind = gguf.GGMLQuantizationType.Q4_1
            writer.add_tensor(name, gguf.quants.quantize(value, kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, np.ascontiguousarray(value))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write(tmp_path_factory.mktemp("gguf") / "small.gguf")


@pytest.fixture(scope="module")
def model(file):
    return load_smollm2(file)


def one_line(path):
    with pytest.raises(UserError) as caught:
        load_smollm2(path)
    message = str(caught.value)
    assert "\n" not in message and str(path) in message
    return message


def test_the_network_has_the_weights_of_the_file_with_heads_in_halves(model):
    loaded, expected = model.network.state_dict(), random_decoder().state_dict()
    assert loaded.keys() == expected.keys()
    assert all(torch.equal(loaded[name], value) for name, value in expected.items())


@torch.inference_mode()
def test_logits_are_those_of_the_network_that_was_written(model):
    torch.testing.assert_close(model.run([[4, 8, 15]]), random_decoder()(torch.tensor([[4, 8, 15]])))


@pytest.mark.parametrize("part", ["mlp.up", "attention.q"])
def test_a_quantized_tensor_is_read_to_the_values_that_its_blocks_stand_for(tmp_path, part):
    ours = f"layers.1.{part}.weight"
    path = write(tmp_path / "small.gguf", quantized=[gguf_name(ours)])
    read = load_smollm2(path).network.state_dict()[ours].numpy()
    written = random_decoder().state_dict()[ours].numpy()
    spread = written.reshape(-1, 32).max(axis=1) - written.reshape(-1, 32).min(axis=1)
    error = np.abs(read - written).reshape(-1, 32).max(axis=1)
    assert error.any() and (error <= spread / 15 * 0.51 + 1e-3).all()


def test_the_weights_are_said_to_be_rounded_as_the_file_has_them(tmp_path, model):
    assert model.rounded is None
    path = write(tmp_path / "small.gguf", quantized=[gguf_name("layers.1.mlp.up.weight")])
    assert load_smollm2(path).rounded == "Q4_1"


@pytest.mark.parametrize(
    ("key", "value"),
    [("llama.rope.scaling.factor", 4.0), ("llama.rope.dimension_count", 2), ("llama.logit_scale", 0.125)],
)
def test_metadata_that_would_not_be_applied_is_refused_by_key_and_value(tmp_path, key, value):
    assert f"{key} is {value}" in one_line(write(tmp_path / "small.gguf", fields={key: value}))


def test_the_network_needs_no_gradients(model):
    assert not any(parameter.requires_grad for parameter in model.network.parameters())


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("how", ["how"]),
        ("how many", ["how", "Ġm", "a", "n", "y"]),
        ("12", ["1", "2"]),
        ("how 12?", ["how", "Ġ", "1", "2", "?"]),
        ("<|im_start|>how<|im_end|>", ["<|im_start|>", "how", "<|im_end|>"]),
        ("", []),
    ],
)
def test_a_text_is_split_as_the_merges_say_and_digit_by_digit(model, text, tokens):
    assert [TOKENS[i] for i in model.tokens(text)] == tokens


def test_tokens_read_back_as_their_text(model):
    assert model.tokenizer.decode(model.tokens("how many 12?")) == "how many 12?"


def test_a_file_that_is_not_there_is_an_error_of_one_line(tmp_path):
    one_line(tmp_path / "none.gguf")


@pytest.mark.parametrize(
    "content", [b"", b"GGUF", b"no GGUF at all", b"\0" * 4096], ids=["empty", "4", "text", "zeros"]
)
def test_a_file_of_something_else_is_an_error_of_one_line(tmp_path, content):
    path = tmp_path / "wrong.gguf"
    path.write_bytes(content)
    one_line(path)


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.5, 0.999])
def test_a_truncated_file_is_an_error_of_one_line(tmp_path, file, share):
    content = file.read_bytes()
    path = tmp_path / "truncated.gguf"
    path.write_bytes(content[: int(len(content) * share)])
    one_line(path)


@pytest.mark.parametrize("name", ["llama.block_count", "tokenizer.ggml.pre", "llama.rope.freq_base"])
def test_a_file_without_a_field_is_an_error_that_names_it(tmp_path, name):
    assert name in one_line(write(tmp_path / "small.gguf", fields={name: None}))


def test_a_file_with_another_tokenizer_is_an_error_of_one_line(tmp_path):
    assert "tokenizer.ggml.pre" in one_line(write(tmp_path / "small.gguf", fields={"tokenizer.ggml.pre": "llama-bpe"}))


def test_a_file_without_a_tensor_is_an_error_that_names_it(tmp_path):
    assert "layers.1.mlp.up" in one_line(write(tmp_path / "small.gguf", without=["blk.1.ffn_up.weight"]))


@pytest.mark.parametrize("name", ["blk.0.ssm_in.weight", "rope_freqs.weight", "blk.2.ffn_up.weight", "blk.weight"])
def test_a_file_with_a_tensor_too_many_is_an_error_of_one_line(tmp_path, name):
    one_line(write(tmp_path / "small.gguf", extra={name: np.zeros((2, 32), dtype=np.float32)}))


def test_a_file_of_another_shape_than_it_says_is_an_error_of_one_line(tmp_path):
    one_line(write(tmp_path / "small.gguf", fields={"llama.embedding_length": 32}))
