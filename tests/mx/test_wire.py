"""Tensors between processes: what arrives, what is sent, how fast it may go, and what happens when one dies.

The transfers run between threads over queues, so that any size and number of ranks is fast; two real processes over
gloo do the same once.
"""

import hashlib
import json
import os
import queue
import signal
import sys
import threading
from math import inf
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from jouleproof.errors import UserError
from jouleproof.formats import FORMATS, fake_quantize, quantize
from jouleproof.formats.codecs import BFloat16, Float32, Packed
from jouleproof.inputs import Problem
from jouleproof.measure.clocks import Pacer
from jouleproof.models.decoder import rotary_angles, rotate
from jouleproof.processes import Children
from jouleproof.studies.mx.config import MxConfig, WireConfig
from jouleproof.studies.mx.experiments import wire as experiment
from jouleproof.studies.mx.experiments.wire import gradient_bucket, kv_cache, nth_text, slowest, wire
from jouleproof.studies.mx.wire_launch import gather, run_ranks
from jouleproof.studies.mx.wire_rank import REFERENCE, Task, codecs
from jouleproof.studies.mx.wire_transport import AllReduce, Move
from tests.models.small import language_model

REPEATABLE = settings(derandomize=True, deadline=None, database=None, max_examples=30)
OWN = "tests.extension_example.formats:FORMAT"
CODECS = codecs([*FORMATS, OWN])
LOOPBACK = Path("/proc/net/dev")
ELEMENTS, LIMIT = 1_500_001, 1e10
pytestmark = pytest.mark.usefixtures("one_thread")
in_every_codec = pytest.mark.parametrize("name", CODECS)


class QueueLink:
    """Between threads. Messages are copied on the way, as a network would."""

    def __init__(self, rank, queues):
        self.rank, self.world, self.sent_bytes, self._queues = rank, len(queues), 0, queues

    def exchange(self, sends, receives):
        for to, message in sends.items():
            self._queues[self.rank][to].put(message.clone())
            self.sent_bytes += len(message)
        for source, message in receives.items():
            message.copy_(self._queues[source][self.rank].get(timeout=10))


def on_every_rank(world, run):
    """run(link) of each rank at once; results by rank."""
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


def drawn(shape, seed):
    """Magnitudes over many binades, so that a shared scale matters."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator) * torch.exp2(4 * torch.randn(shape, generator=generator))


def all_reduced(tensors, name):
    """(out, bytes sent) of each rank."""

    def run(link):
        out = torch.full_like(tensors[link.rank], torch.nan)
        AllReduce(tensors[link.rank], out, CODECS[name], link.rank, link.world)(link)
        return out, link.sent_bytes

    return on_every_rank(len(tensors), run)


def moved(x, name):
    """(out of rank 1, bytes that rank 0 sent)."""

    def run(link):
        out = torch.full_like(x, torch.nan)
        Move(x if link.rank == 0 else torch.empty_like(x), out, CODECS[name], link.rank)(link)
        return out, link.sent_bytes

    (_, sent), (out, _) = on_every_rank(2, run)
    return out, sent


def cast(x, name):
    """What a tensor is once it was sent, by other means than the codecs."""
    if name == "float32":
        return x
    if name == "bfloat16":
        return x.to(torch.bfloat16).to(torch.float32)
    return fake_quantize(x, CODECS[name].fmt) if len(x) else x


def sum_as_described(tensors, name):
    """Every owner's part: its own addend, then the others' casts from the rank before it backwards, cast once more."""
    world, parts = len(tensors), []
    for owner in range(world):
        start, end = (len(tensors[0]) * bound // world for bound in (owner, owner + 1))
        total = tensors[owner][start:end]
        for step in range(1, world):
            total = total + cast(tensors[(owner - step) % world][start:end].contiguous(), name)
        parts.append(cast(total, name))
    return torch.cat(parts)


def same_bits(a, b):
    return torch.equal(a.view(torch.int32), b.view(torch.int32))


@in_every_codec
@pytest.mark.parametrize("world", [2, 3])
def test_an_all_reduce_is_the_cast_sum_of_casts_on_every_rank(name, world):
    check_all_reduce([drawn(1000, seed) for seed in range(world)], name)


@REPEATABLE
@given(st.integers(1, 200), st.integers(2, 4), st.sampled_from(sorted(CODECS)), st.integers(0, 99))
def test_any_size_is_reduced_full_blocks_or_not(elements, world, name, seed):
    check_all_reduce([drawn(elements, seed + rank) for rank in range(world)], name)


def check_all_reduce(tensors, name):
    expected = sum_as_described(tensors, name)
    assert all(same_bits(out, expected) for out, _ in all_reduced(tensors, name))


def test_in_float32_two_ranks_get_the_plain_sum():
    tensors = [drawn(1001, seed) for seed in (0, 1)]
    assert all(same_bits(out, tensors[0] + tensors[1]) for out, _ in all_reduced(tensors, "float32"))


@in_every_codec
def test_a_transfer_can_be_made_again(name):
    tensors = [drawn(500, seed) for seed in (0, 1)]

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
    x = drawn(shape, seed=3)
    assert same_bits(moved(x, name)[0], cast(x, name))


def bits_sent(name):
    """Per element, in whole blocks."""
    fmt = getattr(CODECS[name], "fmt", None)
    return {"float32": 32, "bfloat16": 16}.get(name) or fmt.bits + 8 / fmt.block


@in_every_codec
def test_an_all_reduce_sends_every_element_once_per_rank(name):
    """Two ranks: half of the vector to its owner, and the sum of the other half back."""
    sent = {count for _, count in all_reduced([drawn(640, seed) for seed in (0, 1)], name)}
    assert sent == {640 * bits_sent(name) / 8}


@in_every_codec
def test_a_move_sends_the_packed_array_and_nothing_else(name):
    x, fmt = drawn((6, 40), seed=0), getattr(CODECS[name], "fmt", None)
    assert moved(x, name)[1] == (quantize(x, fmt).nbytes if fmt else 240 * bits_sent(name) / 8)


class Clock:
    """Time that passes where one sleeps, and is late each time by `late`."""

    def __init__(self, late=0.0):
        self.time, self.late = 100.0, late

    def now(self):
        return self.time

    def sleep(self, seconds):
        assert seconds > 0
        self.time += seconds + self.late


sizes_of_bytes = st.lists(st.integers(1, 10_000), min_size=1, max_size=20)


@REPEATABLE
@given(sizes_of_bytes, st.floats(1e3, 1e9), st.floats(0, 1e-3))
def test_a_line_never_passes_more_than_its_rate(sizes, bytes_per_s, late):
    clock = Clock(late)
    begun, passed = clock.now(), 0
    for size in Pacer(bytes_per_s, clock.now, clock.sleep).passed(sizes):
        passed += size
        assert passed <= bytes_per_s * (clock.now() - begun) * (1 + 1e-6) + 1e-6


@REPEATABLE
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
    with pytest.raises(UserError, match="the problems hold 13 tokens, not 30; lower tokens"):
        nth_text(language_model(), [Problem("Why?", "#### 1", 1)], 15, 1)


def test_the_slower_rank_counts_with_the_cast_that_the_other_did():
    sender = {"time_s": 2.0, "cast_s": 1.0, "wire_s": 1.0, "sent_bytes": 8}
    receiver = {"time_s": 3.0, "wire_s": 2.0, "uncast_s": 1.0, "sent_bytes": 0}
    found = slowest([sender, receiver])
    assert (found["time_s"], found["cast_s"], found["uncast_s"], found["sent_bytes"]) == (3.0, 1.0, 1.0, 8)


def bytes_over_loopback():
    """What the system's loopback interface has sent; 0 where it does not tell."""
    if not LOOPBACK.exists():
        return 0
    (line,) = [line for line in LOOPBACK.read_text(encoding="ascii").splitlines() if line.strip().startswith("lo:")]
    return int(line.split(":")[1].split()[8])


@pytest.fixture(scope="module")
def two_processes():
    """One run of two real processes: their tensors, reports by rank, and what the loopback interface counted."""
    names = ["mxfp8_e4m3", "mxfp4"]
    tensors = [{"gradient": drawn(ELEMENTS, rank), "kv_cache": drawn((2, 5, 33), 7)} for rank in (0, 1)]
    before = bytes_over_loopback()
    ranks = run_ranks(Task(2, names, {"unlimited": None, "limited": LIMIT}, repeats=1, timeout_s=60), tensors)
    return names, tensors, ranks, bytes_over_loopback() - before


def reported(ranks, key, payload):
    """By rank."""
    return [report[key] for reports in ranks for report in reports if report["payload"] == payload and key in report]


def digest(x):
    return hashlib.sha256(x.contiguous().numpy().tobytes()).hexdigest()


def test_two_processes_reduce_to_the_bits_of_the_formula(two_processes):
    names, tensors, ranks, _ = two_processes
    gradients = [own["gradient"] for own in tensors]
    for name in ("float32", "bfloat16", *names):
        expected = digest(sum_as_described(gradients, name))
        assert [found[name]["digest"] for found in reported(ranks, "delivered", "gradient")] == [expected] * 2


def test_one_process_moves_to_the_other_what_a_cast_gives(two_processes):
    names, tensors, ranks, _ = two_processes
    sender, receiver = reported(ranks, "delivered", "kv_cache")
    expected = {name: digest(cast(tensors[0]["kv_cache"], name)) for name in ("float32", "bfloat16", *names)}
    assert (sender, {name: found["digest"] for name, found in receiver.items()}) == ({}, expected)


def test_the_error_is_that_of_the_result(two_processes):
    _, tensors, ranks, _ = two_processes
    gradients = [own["gradient"] for own in tensors]
    exact, rough = (sum_as_described(gradients, name).double() for name in ("float32", "mxfp4"))
    expected = float(((rough - exact).square().sum() / exact.square().sum()).sqrt())
    (found, _) = reported(ranks, "delivered", "gradient")
    assert found["mxfp4"]["relative_error"] == pytest.approx(expected, rel=1e-5)
    assert found["float32"]["relative_error"] == 0


def times_of(ranks, link):
    """Of every rank, payload and format, by these."""
    return {
        (rank, report["payload"], name): times
        for rank, reports in enumerate(ranks)
        for report in reports
        if report.get("link") == link
        for name, times in report["times"].items()
    }


def test_a_limited_link_takes_at_least_its_time(two_processes):
    for times in times_of(two_processes[2], "limited").values():
        assert times["time_s"] >= 8 * times["sent_bytes"] / LIMIT


def test_a_limit_does_not_change_what_is_sent(two_processes):
    sent = [
        {key: times["sent_bytes"] for key, times in times_of(two_processes[2], link).items() if REFERENCE not in key}
        for link in ("limited", "unlimited")
    ]
    assert sent[0] == sent[1]


@pytest.mark.skipif(not LOOPBACK.exists(), reason="only Linux tells what its loopback interface sent")
def test_the_system_saw_the_bytes_that_were_counted(two_processes):
    """Every payload byte is there; headers, gloo's own messages and other programs add a little."""
    *_, ranks, counted = two_processes
    times = [*times_of(ranks, "limited").values(), *times_of(ranks, "unlimited").values()]
    untimed = sum(each["sent_bytes"] for each in times_of(ranks, "limited").values())
    by_torch = 2 * 4 * ELEMENTS
    sent = sum(each["sent_bytes"] for each in times) + untimed + by_torch
    assert sent <= counted < 1.5 * sent


def children(*programs):
    return Children([[sys.executable, "-c", program] for program in programs], {})


def returncodes(ranks):
    return [child.process.returncode for child in ranks.members]


WAITS = "import time; time.sleep(60)"


@pytest.mark.parametrize(
    ("program", "complaint"),
    [
        ("import sys; sys.exit(3)", r"rank 1 ended with status 3$"),
        ("raise RuntimeError('out of luck')", r"rank 1 ended with status 1: RuntimeError: out of luck"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", r"rank 1 was killed by SIGKILL"),
    ],
)
def test_a_rank_that_dies_ends_the_run_with_its_last_words(program, complaint):
    with children(WAITS, program) as ranks, pytest.raises(UserError, match=complaint) as caught:
        gather(ranks, silence_s=30)
    assert "\n" not in str(caught.value)
    assert returncodes(ranks)[0] == -signal.SIGKILL


def test_the_one_that_was_killed_is_blamed_not_the_one_that_noticed():
    with children("import sys, time; time.sleep(0.3); sys.exit(1)", WAITS) as ranks:
        ranks.members[1].process.kill()
        ranks.members[1].process.wait()
        with pytest.raises(UserError, match="rank 1 was killed by SIGKILL"):
            gather(ranks, silence_s=30)


def test_silence_ends_the_run():
    with children(WAITS, WAITS) as ranks, pytest.raises(UserError, match=r"no word from rank 0, 1 for 0\.2 s"):
        gather(ranks, silence_s=0.2)
    assert returncodes(ranks) == [-signal.SIGKILL] * 2


def test_an_interrupt_leaves_no_process_behind():
    def interrupt(rank, report):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), children("print('{}', flush=True); " + WAITS, WAITS) as ranks:
        gather(ranks, 30, interrupt)
    assert returncodes(ranks) == [-signal.SIGKILL] * 2


def test_reports_come_whole_and_in_order():
    program = "import sys\nfor n in range(3): sys.stdout.write('{\"n\": ' + str(n)); sys.stdout.flush(); print('}')"
    with children(program, program) as ranks:
        assert gather(ranks, 30) == [[{"n": 0}, {"n": 1}, {"n": 2}]] * 2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process be placed")
def test_each_rank_gets_one_core_even_where_openmp_has_bound_this_process(tmp_path, monkeypatch):
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        pytest.skip("there is one core only")
    placed = tmp_path / "placed"
    program = (
        f"import json, os, time\nwhile not os.path.exists({str(placed)!r}): time.sleep(0.01)\n"
        "print(json.dumps(sorted(os.sched_getaffinity(0))))"
    )
    monkeypatch.setenv("OMP_PROC_BIND", "true")
    os.sched_setaffinity(0, {cores[0]})
    try:
        with children(program, program) as ranks:
            assert ranks.placed
            placed.touch()
            (first,), (second,) = gather(ranks, 30)
    finally:
        os.sched_setaffinity(0, set(cores))
    assert len(first) == len(second) == 1 and first != second


def reports_of(rank, differ=False):
    """Made-up reports of one repeat over one link."""
    bits = "other" if differ and rank else "same"
    names = {"float32": 400, "bfloat16": 200, "mxfp4": 53}
    found = []
    for payload in ("gradient", "kv_cache"):
        arrives = payload == "gradient" or rank == 1
        delivered = {name: {"digest": bits, "relative_error": 0.1} for name in names} if arrives else {}
        times = {
            name: {"time_s": count / 100 + rank, "cast_s": 0.25, "uncast_s": 0.25, "sent_bytes": count}
            for name, count in names.items()
        }
        found.append({"payload": payload, "delivered": delivered})
        found.append({"payload": payload, "link": "1 Gbit/s", "repeat": 0, "times": times})
    return found


@pytest.fixture
def table(monkeypatch):
    """A function from made-up reports to the experiment's table."""

    def table(ranks):
        monkeypatch.setattr(experiment, "run_ranks", lambda *_: ranks)
        config = MxConfig(formats=["mxfp4"], wire=WireConfig(bucket_mib=0.01, tokens=10, gbit_per_s=[1.0], repeats=1))
        return wire(config, [Problem("How many apples are left?", "#### 1", 1)], language_model())

    return table


def test_the_table_holds_speedups_bytes_and_errors(table):
    values = table([reports_of(0), reports_of(1)]).set_index(["payload", "format", "metric"])["value"].sort_index()
    found = values["gradient", "mxfp4"]
    assert found["time_s"] == 1.53 and found["bytes_over_bfloat16"] == 53 / 200
    assert found["wire_s"] == pytest.approx(1.03)
    assert found["speedup_over_float32"] == pytest.approx(5 / 1.53)
    assert found["speedup_over_bfloat16"] == pytest.approx(3 / 1.53)
    assert found["wire_rate"] == pytest.approx(8e-9 * 53 / 1.03)


def test_ranks_with_different_bits_stop_the_experiment(table):
    with pytest.raises(RuntimeError, match="gradient in float32 differs"):
        table([reports_of(0), reports_of(1, differ=True)])


def test_a_task_survives_its_file(tmp_path):
    task = Task(2, ["mxfp4"], {"loopback": None, "1 Gbit/s": 1e9}, 3, 60.0)
    task.write(tmp_path)
    assert Task.read(tmp_path) == task
    assert json.loads((tmp_path / "task.json").read_text())["links"]["loopback"] is None


def test_codecs_are_the_plain_ones_and_those_of_the_config():
    assert [type(codec) for codec in codecs(["mxfp4"]).values()] == [Float32, BFloat16, Packed]
