"""The runner agrees with the plain decoder and transformers: any cut of the texts into pieces gives the same tokens."""

from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from jouleproof.formats import FORMATS, fake_quantize
from jouleproof.models.casting import weights_cast
from jouleproof.models.continuation import continued, greedy
from jouleproof.models.hugging import as_llama
from jouleproof.models.runner import Piece, Runner
from jouleproof.models.shapes import Shape, flops, read_bytes, timed
from tests.extension_example import formats as custom
from tests.models.small import DECODER, random_decoder

TOLERANCE = 2e-4
CAPACITY = 24
DECODER_OF_TESTS = random_decoder()
REPEATABLE = settings(derandomize=True, deadline=None, database=None, max_examples=40)
token = st.integers(0, DECODER.vocabulary - 1)


def plain(tokens):
    return DECODER_OF_TESTS(torch.tensor([tokens]))[0, -1]


@REPEATABLE
@given(
    texts=st.lists(st.lists(token, min_size=1, max_size=CAPACITY), min_size=1, max_size=5),
    seed=st.integers(0, 1000),
    as_they_are=st.booleans(),
)
def test_texts_side_by_side_in_any_pieces_give_the_logits_of_each_alone(texts, seed, as_they_are):
    runner = Runner(DECODER_OF_TESTS, len(texts), CAPACITY, plain=as_they_are)
    generator = torch.Generator().manual_seed(seed)
    read = [0] * len(texts)
    last = {}
    while any(done < len(text) for done, text in zip(read, texts, strict=True)):
        pieces = []
        for slot, text in enumerate(texts):
            left = len(text) - read[slot]
            if left and (not pieces or torch.rand((), generator=generator) < 0.7):
                count = int(torch.randint(1, left + 1, (), generator=generator))
                pieces.append(Piece(slot, read[slot], text[read[slot] : read[slot] + count]))
                read[slot] += count
        for piece, logits in zip(pieces, runner.run(pieces), strict=True):
            last[piece.slot] = logits
    for slot, text in enumerate(texts):
        torch.testing.assert_close(last[slot], plain(text), atol=TOLERANCE, rtol=TOLERANCE)


def test_a_cache_read_out_and_written_into_another_slot_goes_on_as_if_it_had_not_moved():
    runner = Runner(DECODER_OF_TESTS, 3, CAPACITY)
    text = list(range(1, 10))
    runner.run([Piece(0, 0, text)])
    runner.cache(2, len(text)).copy_(runner.cache(0, len(text)))
    here, there = runner.run([Piece(0, 9, [11]), Piece(2, 9, [11])])
    assert torch.equal(here, there)
    torch.testing.assert_close(here, plain([*text, 11]), atol=TOLERANCE, rtol=TOLERANCE)


def test_bfloat16_reads_half_the_bytes_and_says_nearly_the_same():
    wide, narrow = Runner(DECODER_OF_TESTS, 2, CAPACITY), Runner(DECODER_OF_TESTS, 2, CAPACITY, dtype=torch.bfloat16)
    text = [Piece(0, 0, list(range(1, 10))), Piece(1, 0, [7])]
    expected, logits = wide.run(text), narrow.run(text)
    assert float((logits - expected).norm() / expected.norm()) < 0.04  # 2**-8 per rounding, about twenty roundings
    shape = Shape(decodes=2, context=7)
    assert read_bytes(wide, shape) == 2 * read_bytes(narrow, shape) and flops(wide, shape) == flops(narrow, shape)


SECONDS_OF_COMPILING = [
    pytest.param(FORMATS[name], marks=pytest.mark.long) for name in ("mxfp8_e5m2", "mxfp6_e3m2", "mxfp6_e2m3", "mxint8")
]


@pytest.mark.parametrize(
    "fmt",
    [FORMATS["mxfp4"], FORMATS["mxfp8_e4m3"], custom.FORMAT, *SECONDS_OF_COMPILING],
    ids=lambda fmt: fmt.name,
)
def test_packed_it_says_what_the_decoder_says_with_its_weights_cast(fmt):
    runner, text = Runner(DECODER_OF_TESTS, 2, CAPACITY), list(range(1, 10))
    packed = runner.packed(DECODER_OF_TESTS, fmt)
    assert packed.weight_bytes < runner.weight_bytes and packed.head_bytes == runner.head_bytes
    logits = packed.run([Piece(0, 0, text), Piece(1, 0, [7])])
    with weights_cast(DECODER_OF_TESTS, partial(fake_quantize, fmt=fmt)):
        expected = torch.stack([plain(text), plain([7])])
    torch.testing.assert_close(logits, expected, atol=TOLERANCE, rtol=TOLERANCE)


def test_layers_are_announced_in_order_once_their_part_of_the_cache_is_final():
    runner, seen = Runner(DECODER_OF_TESTS, 1, CAPACITY), []
    runner.run([Piece(0, 0, [1, 2, 3])], lambda layer: seen.append((layer, runner.cache(0, 3)[layer].clone())))
    assert [layer for layer, _ in seen] == list(range(DECODER.layers))
    assert all(torch.equal(cached, runner.cache(0, 3)[layer]) for layer, cached in seen)


@pytest.mark.parametrize("pieces", [[Piece(0, 20, [1] * 5)], [Piece(0, 0, [])], [Piece(1, 0, [1]), Piece(1, 1, [2])]])
def test_what_does_not_fit_is_refused(pieces):
    with pytest.raises(ValueError, match="slot"):
        Runner(DECODER_OF_TESTS, 2, CAPACITY).run(pieces)


def test_greedy_tokens_are_the_likeliest_each_time_and_those_of_transformers_generate():
    other = as_llama(DECODER_OF_TESTS)
    prompts = [[5, 9, 33, 2, 17], [1], list(range(20, 32))]
    together = continued(Runner(DECODER_OF_TESTS, 4, CAPACITY), [], prompts, 10, lambda _: False)
    for prompt, tokens in zip(prompts, together, strict=True):
        text = torch.tensor([prompt])
        expected = other.generate(text, attention_mask=torch.ones_like(text), do_sample=False, max_new_tokens=10)
        assert tokens == expected[0, len(prompt) :].tolist()
        assert tokens == greedy(Runner(DECODER_OF_TESTS, 1, CAPACITY), prompt, 10)
        assert tokens == [int(plain([*prompt, *tokens[:place]]).argmax()) for place in range(10)]


def test_operations_and_bytes_are_those_counted_by_hand():
    runner = Runner(DECODER_OF_TESTS, 3, CAPACITY)
    shape = DECODER
    kv_width = shape.kv_heads * shape.head_width
    layer = shape.width * (2 * shape.width + 2 * kv_width) + 3 * shape.width * shape.mlp_width
    head = shape.vocabulary * shape.width
    prompt = Shape(prompt=4)
    pairs = shape.layers * shape.heads * (1 + 2 + 3 + 4)
    assert flops(runner, prompt) == 2 * (4 * shape.layers * layer + head) + 4 * shape.head_width * pairs
    decodes = Shape(decodes=2, context=7)
    assert flops(runner, decodes) == 2 * 2 * (shape.layers * layer + head) + 4 * shape.width * shape.layers * 2 * 8
    assert read_bytes(runner, decodes) == 4 * (shape.layers * layer + head) + 2 * 8 * 2 * shape.layers * kv_width * 4


def test_every_repeat_of_every_shape_takes_time():
    runner = Runner(DECODER_OF_TESTS, 3, CAPACITY)
    seconds = timed(runner, [Shape(prompt=3), Shape(prompt=2, read=4, decodes=2, context=5)], 3)
    assert len(seconds) == 3 and all(len(row) == 2 and min(row) > 0 for row in seconds)
