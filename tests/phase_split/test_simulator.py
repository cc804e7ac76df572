"""Guarantees of a run: every request is served or reported, and energy adds up; windows, streams and refusals."""

from dataclasses import replace

import numpy as np
import pytest

from jouleproof.errors import UserError
from jouleproof.serving.simulator.event_loop import loop
from jouleproof.serving.simulator.machines import Design
from jouleproof.serving.simulator.simulate import CORRECTED, PUBLISHED, Window, simulate, stream
from jouleproof.serving.simulator.workload import Requests

SPLIT = Design("split", "split", ("dgx-h100", 3), ("dgx-h100", 2))
TOGETHER = Design("together", "together", ("dgx-a100", 4))
CHUNKED = Design("chunked", "chunked", ("dgx-h100", 4), batch_tokens=256)


def crowd(count, rate=10.0, seed=0):
    rng = np.random.default_rng(seed)
    arrival = rng.exponential(1 / rate, count).cumsum()
    prompt, output = rng.integers(1, 3000, count), rng.integers(1, 300, count)
    return Requests(arrival, prompt.astype(np.int32), output.astype(np.int32))


def batches_of(count, requests):
    for first in range(0, len(requests), count):
        columns = requests.arrival_s, requests.prompt, requests.output
        yield Requests(*(column[first : first + count] for column in columns))


@pytest.mark.parametrize("design", [SPLIT, TOGETHER], ids=lambda design: design.name)
def test_every_request_is_served_and_none_before_its_time(design):
    run = simulate(design, crowd(500))
    assert run.unfinished == 0 and not run.deadlock
    assert (run.ttft_s > 0).all() and (run.e2e_s >= run.ttft_s).all()
    assert ((run.output == 1) == (run.e2e_s == run.ttft_s)).all()


def test_the_same_requests_give_the_same_bytes():
    first, second = (simulate(SPLIT, crowd(300)) for _ in range(2))
    assert first.e2e_s.tobytes() == second.e2e_s.tobytes() and first.energy_j.tobytes() == second.energy_j.tobytes()


@pytest.mark.parametrize("design", [SPLIT, TOGETHER], ids=lambda design: design.name)
def test_a_stream_gives_what_the_whole_gives(design):
    requests = crowd(1000, rate=3.0)
    whole = simulate(design, requests)
    batches = [served[1:] for served in stream(design, batches_of(300, requests))]
    assert np.array_equal(np.concatenate([ttft for ttft, _ in batches]), whole.ttft_s)
    assert np.array_equal(np.concatenate([e2e for _, e2e in batches]), whole.e2e_s)


def test_a_stream_that_is_not_kept_up_with_stops():
    requests = crowd(3000, rate=5000.0)
    with pytest.raises(UserError, match="took longer than two batches"):
        list(stream(TOGETHER, batches_of(10, requests)))


def test_power_in_bins_of_time_adds_up_to_the_energy():
    run = simulate(SPLIT, crowd(400), power_bin_s=2.0)
    assert run.power[:, :, :2].sum(axis=1) == pytest.approx(run.energy_j, rel=1e-9)
    assert run.power[:, :, 2:].sum(axis=1) == pytest.approx(run.busy_s, rel=1e-9)
    assert (run.power[:, :, 2:].sum(axis=2) <= 2.0 + 1e-9).all()


def test_a_machine_is_never_busier_than_there_is_time():
    run = simulate(TOGETHER, crowd(400))
    assert (run.busy_s.sum(axis=1) <= run.end_s + 1e-9).all()
    assert run.energy_all_j > run.energy_j.sum()


@pytest.mark.parametrize("design", [SPLIT, TOGETHER, CHUNKED], ids=lambda design: design.name)
def test_time_by_active_tokens_adds_up_to_the_busy_time(design):
    run = simulate(design, crowd(300), active=True)
    assert run.active_s.sum() == pytest.approx(run.busy_s.sum(), rel=1e-9)
    assert run.active_s[0] == 0 and len(simulate(design, crowd(3)).active_s) == 0


def test_chunks_never_work_on_more_tokens_than_a_batch_has():
    run = simulate(CHUNKED, crowd(500, rate=100.0), active=True)
    most = CHUNKED.batch_tokens
    assert run.unfinished == 0 and run.active_s[most] > 0 and not run.active_s[most + 1 :].any()


def test_a_narrower_format_makes_decoding_faster_and_leaves_prompts_as_they_are():
    requests = crowd(30, rate=0.2)
    wide, narrow = (simulate(TOGETHER, requests, model=model) for model in ("bloom-176b", "bloom-176b/mxfp4"))
    assert (narrow.e2e_s <= wide.e2e_s).all() and narrow.e2e_s.mean() < 0.9 * wide.e2e_s.mean()
    alone = np.array([0])
    assert narrow.ttft_s[alone] == wide.ttft_s[alone]


def test_gaps_are_counted_for_the_window_alone():
    requests = crowd(400)
    run = simulate(SPLIT, requests, window=Window(10.0, 20.0))
    inside = (requests.arrival_s >= 10) & (requests.arrival_s < 20)
    assert run.gaps.sum() == (requests.output[inside] - 1).sum()
    assert len(simulate(SPLIT, requests).gaps) == 0


def test_links_that_take_no_time_make_no_request_slower():
    requests = crowd(50, rate=0.5)
    free = simulate(SPLIT, requests, replace(CORRECTED, link_bytes_per_s=np.inf))
    slow = simulate(SPLIT, requests, replace(CORRECTED, link_bytes_per_s=1e9))
    assert (slow.e2e_s >= free.e2e_s - 1e-9).all() and slow.e2e_s.mean() > free.e2e_s.mean()


def test_shared_heads_make_the_cache_of_llama_smaller():
    requests = Requests(np.array([0.1]), np.array([60_000], np.int32), np.array([100], np.int32))
    assert simulate(TOGETHER, requests, CORRECTED, "llama2-70b").unfinished == 0
    many = Requests(np.array([0.1]), np.array([250_000], np.int32), np.array([100], np.int32))
    assert simulate(TOGETHER, many, CORRECTED, "llama2-70b").unfinished == 0
    with pytest.raises(UserError, match="fits no machine"):
        simulate(TOGETHER, many, PUBLISHED, "llama2-70b")


def test_a_request_that_fits_no_machine_is_refused():
    requests = Requests(np.array([0.1]), np.array([90_000], np.int32), np.array([2], np.int32))
    with pytest.raises(UserError, match=r"request 0: request of 90000 \+ 2 tokens fits no machine of split"):
        simulate(SPLIT, requests)


def test_the_published_rules_refuse_what_the_published_simulator_loses():
    requests = Requests(np.array([0.1]), np.array([10], np.int32), np.array([1], np.int32))
    with pytest.raises(UserError, match="single output token"):
        simulate(SPLIT, requests, PUBLISHED)


def test_a_run_that_cannot_go_on_ends_and_says_so():
    """Caches that arrived fill the token machine, so that none of their decodes has room to start."""
    count = 40
    rng = np.random.default_rng(1)
    prompt, output = rng.integers(9_000, 20_000, count), rng.integers(30_000, 60_000, count)
    requests = Requests(np.linspace(0.1, 0.2, count), prompt.astype(np.int32), output.astype(np.int32))
    run = simulate(Design("small", "split", ("dgx-h100", 4), ("dgx-h100", 1)), requests)
    assert run.unfinished > 0 and run.end_s < 86_400
    assert np.isnan(run.e2e_s).sum() == run.unfinished


def test_the_compiled_loop_is_kept_by_the_code_of_its_whole_folder():
    """numba notices edits only of the file of `run`; one signature serves every policy, so it is compiled once."""
    for design in (SPLIT, TOGETHER, CHUNKED):
        simulate(design, crowd(3), window=Window(1, 2))
    (signature,) = loop.run.signatures
    assert str(signature[-1]) == f"omitted(default={loop.CODE_VERSION})"
    called = [call for call in vars(loop).values() if hasattr(call, "py_func") and call is not loop.run]
    assert called and all(
        call.stats.cache_path is None for call in called
    )  # a cached callee would not notice edits either


@pytest.mark.parametrize("first", [1_700_000_000.5, -3.0])
def test_times_that_do_not_count_from_about_the_first_arrival_are_refused(first):
    requests = crowd(3)
    moved = replace(requests, arrival_s=requests.arrival_s - requests.arrival_s[0] + first)
    for begun in (lambda: simulate(SPLIT, moved), lambda: list(stream(SPLIT, [moved]))):
        with pytest.raises(UserError, match=r"the first request arrives at .*: count from the first arrival"):
            begun()


def test_later_batches_of_a_stream_may_come_after_any_time():
    requests = crowd(40)
    late = replace(requests, arrival_s=requests.arrival_s + 1e6)
    assert len(list(stream(SPLIT, [requests, late]))) == 2
