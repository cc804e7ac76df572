"""The engine's processes: every mode and transport generates the plain decoder's tokens, and whatever dies, hangs,
disconnects or does not fit, every request ends exactly once and nothing is left behind."""

import os
import random
import resource
import signal
import socket
import threading
import time
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import psutil
import pytest

from jouleproof.errors import UserError, one_line_errors
from jouleproof.formats import get_format
from jouleproof.models.continuation import greedy
from jouleproof.models.runner import Runner
from jouleproof.models.shapes import Shape
from jouleproof.serving.engine import router
from jouleproof.serving.engine.fleet import FleetPlan, started_fleet
from jouleproof.serving.engine.router import Request, Rules, serve
from jouleproof.serving.engine.transport import Move
from tests.models.small import DECODER, random_decoder

CAPACITY = 40
PLAN = FleetPlan(workers=3, slots=3, capacity=CAPACITY, boxes=2, gloo=True)
SMALL = FleetPlan(workers=2, slots=4, capacity=CAPACITY, boxes=2)
DECODER_OF_TESTS = random_decoder()


def requests(count=24, seed=0, apart_s=0.004):
    rng = np.random.default_rng(seed)
    return [
        Request(apart_s * place, rng.integers(0, DECODER.vocabulary, rng.integers(1, 25)).tolist(), int(output))
        for place, output in enumerate(rng.integers(1, 16, count))
    ]


def expected(asked):
    runner = Runner(DECODER_OF_TESTS, 1, CAPACITY, plain=True)
    return [greedy(runner, request.prompt, request.output) for request in asked]


@pytest.fixture(scope="module")
def fleet():
    with started_fleet(PLAN, DECODER_OF_TESTS) as workers:
        yield workers


@pytest.fixture(scope="module")
def small():
    """A fleet whose workers may die: they are restarted before `serve` returns."""
    with started_fleet(SMALL, DECODER_OF_TESTS) as workers:
        yield workers


def check_times(asked, outcome, number):
    times = [asked[number].arrival_s, *outcome.times_s]
    assert len(outcome.times_s) == len(outcome.tokens) == asked[number].output
    assert all(before <= after for before, after in pairwise(times))


@pytest.mark.parametrize(
    "rules",
    [
        Rules("together", tokens=24),
        Rules("chunked", tokens=5),
        Rules("split", prompt_workers=2, tokens=24),
        Rules("split", tokens=24, move=Move(by_layer=True)),
        Rules("split", tokens=24, move=Move("gloo")),
        Rules("split", prompt_workers=2, tokens=24, move=Move("gloo", by_layer=True)),
    ],
    ids=["mixed", "chunked", "split", "by layer", "gloo", "gloo by layer"],
)
def test_every_mode_says_what_the_plain_decoder_says(fleet, rules):
    asked = requests()
    served = serve(fleet, asked, rules)
    assert [outcome.tokens for outcome in served.outcomes] == expected(asked)
    for number, outcome in enumerate(served.outcomes):
        assert outcome.status == "done" and outcome.retries == 0
        check_times(asked, outcome, number)
    assert not served.deaths and all(0 < share <= 1.1 for share in served.cpu_share)


def test_a_worker_without_work_lacked_no_core(fleet):
    served = serve(fleet, [Request(0.0, [1, 2, 3], 2)], Rules("split", prompt_workers=2))
    assert served.outcomes[0].status == "done" and served.cpu_share[1] == 1.0


@pytest.mark.parametrize("transport", ["memory", "gloo"])
@pytest.mark.parametrize("cache_format", ["float32", "bfloat16", "mxfp8_e4m3"])
def test_a_cache_is_as_many_bytes_as_its_format_says(fleet, transport, cache_format):
    asked = [Request(0.0, list(range(9)), 3)]
    outcome = serve(fleet, asked, Rules("split", tokens=24, move=Move(transport, cache_format=cache_format))).outcomes[
        0
    ]
    rows, width = DECODER.layers * 2 * DECODER.kv_heads * 9, DECODER.head_width
    block = get_format("mxfp8_e4m3").block
    row_bytes = {"float32": 4 * width, "bfloat16": 2 * width, "mxfp8_e4m3": -(-width // block) * (block + 1)}
    assert outcome.status == "done" and outcome.moved_bytes == rows * row_bytes[cache_format]
    assert outcome.sent_s > 0 and outcome.taken_s > 0 and outcome.arrived_s >= outcome.times_s[0]
    assert cache_format != "float32" or outcome.tokens == expected(asked)[0]


def test_requests_that_do_not_fit_are_refused_with_a_reason_and_the_others_served(fleet):
    asked = [Request(0.0, [1] * 30, 12), Request(0.0, [1] * 30, 11), Request(0.0, [], 3), Request(0.0, [1], 0)]
    for rules in (Rules("together"), Rules("split")):
        outcomes = serve(fleet, asked, rules).outcomes
        assert [outcome.status for outcome in outcomes] == ["refused", "done", "refused", "refused"]
        assert outcomes[0].reason == "41 tokens do not fit into a cache of 40 tokens"


@pytest.mark.parametrize("rules", [Rules("together", tokens=8), Rules("split", tokens=8), Rules("chunked", tokens=4)])
def test_clients_that_leave_give_their_place_to_others(fleet, rules):
    asked = [
        Request(request.arrival_s, request.prompt, 15, 0.001 * (place % 7) if place % 2 else float("inf"))
        for place, request in enumerate(requests(40, seed=1, apart_s=0.001))
    ]
    served = serve(fleet, asked, rules)
    for place, outcome in enumerate(served.outcomes):
        assert outcome.status in (("done", "left") if place % 2 else ("done",))
        full = expected([asked[place]])[0]
        assert outcome.tokens == (full if outcome.status == "done" else full[: len(outcome.tokens)])
    assert any(outcome.status == "left" and "left after" in outcome.reason for outcome in served.outcomes)
    again = requests(12, seed=2)
    assert [outcome.tokens for outcome in serve(fleet, again, rules).outcomes] == expected(again)


def test_shapes_are_measured_on_every_worker_while_the_others_are_at_work(fleet):
    seconds = fleet.measured([Shape(prompt=8), Shape(decodes=2, context=5)], 2, background=Shape(prompt=4))
    assert seconds.shape == (PLAN.workers, 2, 2) and (seconds > 0).all()


def test_a_pool_without_workers_is_one_line(fleet):
    with pytest.raises(UserError, match="prompt_workers must be at least 1 and less than workers=3, got 3"):
        serve(fleet, requests(2), Rules("split", prompt_workers=3))


@pytest.mark.parametrize("policy", [pytest.param("together", marks=pytest.mark.long), "split"])
def test_workers_killed_at_any_moment_lose_and_double_no_request(small, policy, monkeypatch):
    asked, used = requests(150, seed=3, apart_s=0.02), _processes(small)
    others = _children() - {process.pid for process in used}
    with _killer(small, random.Random(policy), 2, monkeypatch):
        served = serve(small, asked, Rules(policy, tokens=16, retries=5))
    assert served.deaths and all("was killed by SIGKILL" in death for death in served.deaths)
    assert [outcome.tokens for outcome in served.outcomes] == expected(asked)
    assert all(outcome.status == "done" for outcome in served.outcomes)
    assert any(outcome.retries for outcome in served.outcomes)
    for number, outcome in enumerate(served.outcomes):
        check_times(asked, outcome, number)
    assert all(process.returncode is not None for process in used)
    assert _children() <= others | {process.pid for process in _processes(small)}


def _processes(fleet):
    return [child.process for child in fleet.children.members]


def _children():
    return {process.pid for process in psutil.Process().children()}


def _descriptors():
    return psutil.Process().num_fds()


@contextmanager
def _killer(fleet, rng, deaths, monkeypatch):
    """Kill workers while the block runs, the first after some commands have been sent."""
    over, receivers, tell = threading.Event(), [], fleet.tell

    def counted(to, /, **command):
        receivers.append(to)
        tell(to, **command)

    monkeypatch.setattr(fleet, "tell", counted)
    killer = threading.Thread(target=_kill_some, args=(fleet, rng, deaths, over, receivers))
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()


def _kill_some(fleet, rng, deaths, over, receivers):
    """Kill a worker each time that new ones are launched; all are paused for a moment first, so that requests are in
    flight."""
    some = rng.randint(10, 80)
    while len(receivers) < some and not over.is_set():
        time.sleep(0.005)
    for _ in range(deaths):
        time.sleep(rng.uniform(0.0, 0.4))
        if over.is_set():
            return
        victims = fleet.children
        processes = _processes(fleet)
        _signal(processes, signal.SIGSTOP)
        time.sleep(0.1)
        _signal([rng.choice(processes)], signal.SIGKILL)
        _signal(processes, signal.SIGCONT)
        while not over.is_set() and fleet.children is victims:
            time.sleep(0.01)


def _signal(processes, number):
    for process in processes:
        process.send_signal(number)  # nothing happens to one that has ended


def test_requests_that_may_not_be_tried_again_fail_with_the_reason(small, monkeypatch):
    asked = requests(150, seed=5, apart_s=0.01)
    with _killer(small, random.Random(0), 1, monkeypatch):
        outcomes = serve(small, asked, Rules("together", tokens=16, retries=0)).outcomes
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    assert failed and all("failed 1 times; last error: engine: worker" in outcome.reason for outcome in failed)
    for outcome, tokens in zip(outcomes, expected(asked), strict=True):
        assert outcome.status in ("done", "failed")
        assert outcome.tokens == (tokens if outcome.status == "done" else tokens[: len(outcome.tokens)])


def test_a_worker_that_hangs_is_replaced(small, monkeypatch):
    monkeypatch.setattr(router, "SILENCE_S", 1.5)
    asked = requests(12, seed=4, apart_s=0.03)
    os.kill(_processes(small)[1].pid, signal.SIGSTOP)
    served = serve(small, asked, Rules("split", tokens=16, retries=9))
    assert [outcome.tokens for outcome in served.outcomes] == expected(asked)
    assert "stopped reporting" in served.deaths[0]


def test_a_port_that_is_taken_is_one_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(UserError, match=f"cannot listen on 127.0.0.1:{port}"),
            started_fleet(FleetPlan(gloo=True, port=port), DECODER_OF_TESTS),
        ):
            pass


def test_a_host_that_is_not_this_machine_is_one_line():
    with (
        pytest.raises(UserError, match="'192.0.2.1' is not an address of this machine"),
        started_fleet(FleetPlan(gloo=True, host="192.0.2.1"), DECODER_OF_TESTS),
    ):
        pass


def test_workers_listen_to_the_loopback_address_alone(fleet):
    listening = [
        connection.laddr.ip
        for pid in [os.getpid(), *(process.pid for process in _processes(fleet))]
        for connection in psutil.Process(pid).net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening and set(listening) == {"127.0.0.1"}


def test_memory_that_is_not_there_is_one_line_and_leaves_nothing(capsys):
    limits, before = resource.getrlimit(resource.RLIMIT_FSIZE), (_descriptors(), _children())
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(SystemExit) as end, one_line_errors(), started_fleet(FleetPlan(), DECODER_OF_TESTS):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    said = capsys.readouterr().err
    assert end.value.code == 1 and len(said.strip().splitlines()) == 1
    assert "no room for 0 MB of shared memory (File too large" in said
    assert (_descriptors(), _children()) == before


def test_more_memory_than_the_machine_has_is_not_even_asked_for():
    huge = FleetPlan(capacity=10**9, boxes=10**6)
    with pytest.raises(UserError, match="no room for .* of shared memory"), started_fleet(huge, DECODER_OF_TESTS):
        pass


@pytest.mark.usefixtures("small")  # opens first what a fleet keeps open for good
def test_nothing_stays_open():
    before = _descriptors(), _children()
    with started_fleet(SMALL, DECODER_OF_TESTS) as fleet:
        serve(fleet, requests(3), Rules("split"))
        used = _processes(fleet)
    assert all(process.returncode is not None for process in used)
    assert (_descriptors(), _children()) == before
