"""Transfers of tensors between ranks: what arrives, what is sent, and how fast it is sent.

The transfers run between threads over queues, so that any size and number of ranks is fast; test_wire_processes runs
them in two real processes over gloo.
"""

import queue
import threading
from math import inf

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from jouleproof.errors import UserError
from jouleproof.formats import quantize
from jouleproof.inputs import Problem
from jouleproof.measure.clocks import Pacer
from jouleproof.models.decoder import rotary_angles, rotate
from jouleproof.studies.mx.experiments.wire import gradient_bucket, kv_cache, nth_text, slowest
from jouleproof.studies.mx.wire_transport import AllReduce, Move
from tests.formats.generated import REPEATABLE
from tests.models.small import language_model
from tests.mx.wire_formula import CODECS, cast, random_tensor, sum_as_described

EXAMPLES = settings(REPEATABLE, max_examples=30)
pytestmark = pytest.mark.usefixtures("one_thread")
in_every_codec = pytest.mark.parametrize("name", CODECS)


class QueueLink:
    """A link between threads. Messages are copied on the way, as on a network."""

    def __init__(self, rank, queues):
        self.rank, self.world, self.sent_bytes, self._queues = rank, len(queues), 0, queues

    def exchange(self, sends, receives):
        for to, message in sends.items():
            self._queues[self.rank][to].put(message.clone())
            self.sent_bytes += len(message)
        for source, message in receives.items():
            message.copy_(self._queues[source][self.rank].get(timeout=10))


def on_every_rank(world, run):
    """Run run(link) on all ranks concurrently, and return results by rank."""
    queues = [[queue.Queue() for _ in range(world)] for _ in range(world)]
    results = [None] * world

    def body(rank):
        results[rank] = run(QueueLink(rank, queues))

    threads = [threading.Thread(target=body, args=(rank,)) for rank in range(world)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def all_reduced(tensors, name):
    """Return (out, bytes sent) of each rank."""

    def run(link):
        out = torch.full_like(tensors[link.rank], torch.nan)
        AllReduce(tensors[link.rank], out, CODECS[name], link.rank, link.world)(link)
        return out, link.sent_bytes

    return on_every_rank(len(tensors), run)


def moved(x, name):
    """Return out of rank 1, and the bytes that rank 0 sent."""

    def run(link):
        out = torch.full_like(x, torch.nan)
        Move(x if link.rank == 0 else torch.empty_like(x), out, CODECS[name], link.rank)(link)
        return out, link.sent_bytes

    (_, sent), (out, _) = on_every_rank(2, run)
    return out, sent


def same_bits(a, b):
    return torch.equal(a.view(torch.int32), b.view(torch.int32))


@in_every_codec
@pytest.mark.parametrize("world", [2, 3])
def test_an_all_reduce_is_the_cast_sum_of_casts_on_every_rank(name, world):
    check_all_reduce([random_tensor(1000, seed) for seed in range(world)], name)


@EXAMPLES
@given(st.integers(1, 200), st.integers(2, 4), st.sampled_from(sorted(CODECS)), st.integers(0, 99))
def test_any_size_is_reduced_full_blocks_or_not(elements, world, name, seed):
    check_all_reduce([random_tensor(elements, seed + rank) for rank in range(world)], name)


def check_all_reduce(tensors, name):
    expected = sum_as_described(tensors, name)
    assert all(same_bits(out, expected) for out, _ in all_reduced(tensors, name))


def test_in_float32_two_ranks_get_the_plain_sum():
    tensors = [random_tensor(1001, seed) for seed in (0, 1)]
    assert all(same_bits(out, tensors[0] + tensors[1]) for out, _ in all_reduced(tensors, "float32"))


@in_every_codec
def test_a_transfer_can_be_made_again(name):
    tensors = [random_tensor(500, seed) for seed in (0, 1)]

    def run(link):
        out = torch.zeros(500)
        transfer = AllReduce(tensors[link.rank], out, CODECS[name], link.rank, link.world)
        transfer(link)
        once = out.clone()
        out.zero_()
        transfer(link)
        return once, out

    expected = sum_as_described(tensors, name)
    assert all(same_bits(out, expected) for both in on_every_rank(2, run) for out in both)


@in_every_codec
@pytest.mark.parametrize("shape", [(3, 2, 5, 64), (7, 33), (1,)], ids=str)
def test_a_moved_tensor_is_its_cast(name, shape):
    x = random_tensor(shape, seed=3)
    assert same_bits(moved(x, name)[0], cast(x, name))


def bits_sent(name):
    """Return the bits sent per element, shared scales included, for whole blocks."""
    fmt = getattr(CODECS[name], "fmt", None)
    return {"float32": 32, "bfloat16": 16}.get(name) or fmt.bits_per_element


@in_every_codec
def test_an_all_reduce_sends_every_element_once_per_rank(name):
    """Each of two ranks sends one half of the vector to its owner, and then the sum of the other half."""
    sent = {count for _, count in all_reduced([random_tensor(640, seed) for seed in (0, 1)], name)}
    assert sent == {640 * bits_sent(name) / 8}


@in_every_codec
def test_a_move_sends_the_packed_array_and_nothing_else(name):
    x, fmt = random_tensor((6, 40), seed=0), getattr(CODECS[name], "fmt", None)
    assert moved(x, name)[1] == (quantize(x, fmt).nbytes if fmt else 240 * bits_sent(name) / 8)


class Clock:
    """A clock that advances only in sleeps, each of which ends late by `late`."""

    def __init__(self, late=0.0):
        self.time, self.late = 100.0, late

    def now(self):
        return self.time

    def sleep(self, seconds):
        assert seconds > 0
        self.time += seconds + self.late


sizes_of_bytes = st.lists(st.integers(1, 10_000), min_size=1, max_size=20)


@EXAMPLES
@given(sizes_of_bytes, st.floats(1e3, 1e9), st.floats(0, 1e-3))
def test_a_line_never_passes_more_than_its_rate(sizes, bytes_per_s, late):
    clock = Clock(late)
    begun, passed = clock.now(), 0
    for size in Pacer(bytes_per_s, clock.now, clock.sleep).passed(sizes):
        passed += size
        assert passed <= bytes_per_s * (clock.now() - begun) * (1 + 1e-6) + 1e-6


@EXAMPLES
@given(sizes_of_bytes, st.floats(1e3, 1e9), st.floats(0, 1e-3))
def test_late_sleeps_do_not_add_up(sizes, bytes_per_s, late):
    clock = Clock(late)
    list(Pacer(bytes_per_s, clock.now, clock.sleep).passed(sizes))
    assert clock.now() - 100.0 <= sum(sizes) / bytes_per_s + late + 1e-6


def test_a_line_saves_up_nothing_while_it_is_idle():
    clock = Clock()
    pacer = Pacer(1000.0, clock.now, clock.sleep)
    list(pacer.passed([500]))
    clock.time += 60
    list(pacer.passed([1000]))
    assert clock.now() == pytest.approx(100 + 0.5 + 60 + 1)


def test_a_line_without_a_limit_never_sleeps():
    clock = Clock()
    assert list(Pacer(inf, clock.now, clock.sleep).passed([1, 2, 3])) == [1, 2, 3]
    assert clock.now() == 100.0


def test_the_bucket_holds_the_last_gradients_of_a_whole_backward_pass():
    model = language_model()
    text = torch.tensor([model.tokens("A train goes 60 km in an hour; how far in 3?")])
    bucket = gradient_bucket(model.network, text, nbytes=30_000)
    whole = language_model().network.requires_grad_(True)
    torch.nn.functional.cross_entropy(whole(text)[0, :-1], text[0, 1:]).backward()
    every = torch.cat([parameter.grad.reshape(-1) for parameter in reversed(list(whole.layers.parameters()))])
    assert 30_000 <= bucket.nbytes < every.nbytes
    torch.testing.assert_close(bucket, every[: len(bucket)])
    assert not any(parameter.requires_grad for parameter in model.network.parameters())


def test_the_kv_cache_gives_the_attention_that_the_model_computes():
    model = language_model()
    network, shape = model.network, model.network.shape
    text = torch.tensor([model.tokens("How many apples are left?")])
    seen = {}
    attention = network.layers[-1].attention
    attention.q.register_forward_hook(lambda _, __, out: seen.update(q=out))
    attention.out.register_forward_pre_hook(lambda _, given: seen.update(mixed=given[0]))
    cache = kv_cache(network, text)
    tokens = text.shape[1]
    assert cache.shape == (shape.layers, 2, shape.kv_heads, tokens, shape.head_width)
    q = rotate(seen["q"].view(tokens, shape.heads, shape.head_width).transpose(0, 1), rotary_angles(tokens, shape))
    keys, values = cache[-1].repeat_interleave(shape.heads // shape.kv_heads, dim=1)
    scores = q @ keys.mT / shape.head_width**0.5
    scores = scores.masked_fill(torch.ones(tokens, tokens).triu(1).bool(), -torch.inf)
    mixed = (scores.softmax(-1) @ values).transpose(0, 1).reshape(1, tokens, -1)
    torch.testing.assert_close(mixed, seen["mixed"], atol=1e-5, rtol=1e-5)


def test_ranks_read_runs_of_text_that_follow_one_another():
    model, problems = language_model(), [Problem(f"Question {n}?", f"{n}\n#### {n}", n) for n in range(4)]
    both = nth_text(model, problems, 40, 0)
    assert torch.equal(torch.cat([nth_text(model, problems, 20, n) for n in (0, 1)], dim=1), both)


def test_too_little_text_is_one_line():
    with pytest.raises(UserError, match="the problems must hold 30 tokens, got 13; lower mx.wire.tokens"):
        nth_text(language_model(), [Problem("Why?", "#### 1", 1)], 15, 1)


def test_the_slower_rank_counts_with_the_cast_that_the_other_did():
    sender = {"time_s": 2.0, "cast_s": 1.0, "wire_s": 1.0, "sent_bytes": 8}
    receiver = {"time_s": 3.0, "wire_s": 2.0, "uncast_s": 1.0, "sent_bytes": 0}
    times = slowest([sender, receiver])
    assert (times["time_s"], times["cast_s"], times["uncast_s"], times["sent_bytes"]) == (3.0, 1.0, 1.0, 8)
