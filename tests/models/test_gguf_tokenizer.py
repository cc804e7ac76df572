"""Texts become the tokens that a GGUF file says, or the file is refused."""

import pytest

pytest.importorskip("transformers", reason="needs the extra llm")

from jouleproof.models.gguf import load_gguf
from tests.models import gguf_files
from tests.models.gguf_files import CONTEXT, llama, one_line, written

BYTE_PIECES = [*gguf_files.SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "a", "▁a"]


@pytest.mark.parametrize(
    ("pre", "text", "tokens"),
    [
        ("gpt-2", "how 12?", ["how", "Ġ", "12", "?"]),
        ("smollm", "how 12?", ["how", "Ġ", "1", "2", "?"]),
        ("starcoder", "12", ["1", "2"]),
        ("qwen2", "12", ["1", "2"]),
        ("stablelm2", "12", ["1", "2"]),
        ("llama-bpe", "12", ["12"]),
        (None, "?how", ["?", "how"]),
    ],
)
def test_a_text_is_split_as_the_file_says(tmp_path, pre, text, tokens):
    model = load_gguf(written(tmp_path / "m.gguf", tokenizer={"tokenizer.ggml.pre": pre}))
    assert [gguf_files.TOKENS[number] for number in model.tokens(text)] == tokens
    assert model.text(model.tokens(text)) == text


@pytest.mark.parametrize(("pre", "whole"), [("llama-bpe", True), ("gpt-2", False)])
def test_a_word_that_no_merges_make_is_a_token_where_the_split_says_so(tmp_path, pre, whole):
    tokens = [*gguf_files.TOKENS[:-1], "many"]
    model = load_gguf(written(tmp_path / "m.gguf", tokens=tokens, tokenizer={"tokenizer.ggml.pre": pre}))
    assert (model.tokens("many") == [63]) is whole


@pytest.mark.parametrize(
    ("tokenizer", "opening"),
    [
        ({}, ()),
        ({"tokenizer.ggml.add_bos_token": True}, (0,)),
        ({"tokenizer.ggml.add_bos_token": False}, ()),
        ({"tokenizer.ggml.pre": "llama-bpe"}, (0,)),
        ({"tokenizer.ggml.pre": "llama-bpe", "tokenizer.ggml.add_bos_token": False}, ()),
        ({"tokenizer.ggml.model": "llama", "tokenizer.ggml.pre": "default"}, (0,)),
    ],
)
def test_texts_begin_with_the_token_that_the_file_says(tmp_path, tokenizer, opening):
    pieces = "tokenizer.ggml.model" in tokenizer
    tokens = BYTE_PIECES if pieces else gguf_files.TOKENS
    network = llama(vocab_size=len(tokens))
    model = load_gguf(written(tmp_path / "m.gguf", network, tokens=tokens, tokenizer=tokenizer))
    assert model.opening == opening and model.context == CONTEXT - len(opening)


def test_all_tokens_that_end_a_text_or_a_turn_are_kept(tmp_path):
    model = load_gguf(written(tmp_path / "m.gguf", tokenizer={"tokenizer.ggml.eot_token_id": 2}))
    assert model.network.generation_config.eos_token_id == [1, 2]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model", "bert"),
        ("eos_token_id", 64),
        ("bos_token_id", "<s>"),
        ("pre", "unheard-of"),
        ("add_space_prefix", True),
        ("add_sep_token", True),
        ("remove_extra_whitespaces", True),
        ("precompiled_charsmap", [1, 2, 3]),
        ("normalizer.lowercase", True),
    ],
)
def test_metadata_of_texts_that_would_not_be_applied_are_refused(tmp_path, key, value):
    message = one_line(written(tmp_path / "m.gguf", tokenizer={f"tokenizer.ggml.{key}": value}))
    assert f"tokenizer.ggml.{key} is {value!r}" in message


def test_pieces_without_a_space_in_front_are_refused(tmp_path):
    tokenizer = {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.pre": "default",
        "tokenizer.ggml.add_space_prefix": False,
    }
    network = llama(vocab_size=len(BYTE_PIECES))
    path = written(tmp_path / "m.gguf", network, tokens=BYTE_PIECES, tokenizer=tokenizer)
    assert "add_space_prefix is False" in one_line(path)
