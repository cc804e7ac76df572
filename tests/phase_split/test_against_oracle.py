"""The compiled event loop against a plain implementation of its rules, on small cases that overload a cluster."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jouleproof.serving.simulator.machines import Design
from jouleproof.serving.simulator.performance import performance
from jouleproof.serving.simulator.simulate import CORRECTED, GAP_EDGES, PUBLISHED, Semantics, Window, simulate
from jouleproof.serving.simulator.workload import Requests
from tests.phase_split import oracle

LAYERS = 70


def kind_of(machine, semantics):
    profile = performance(machine, "bloom-176b", semantics.by_context)
    x = profile.tokens.tolist()
    return oracle.Kind(
        oracle.Knots(x, profile.prompt_s.tolist()),
        oracle.Knots(x, profile.decode_s.tolist()),
        tuple(profile.affine.tolist()),
        machine.link_bytes_per_s,
        machine.hop_s,
    )


def by_oracle(design, requests, semantics):
    kinds = [kind_of(machine, semantics) for machine, _ in design.pools]

    def make(clock, world):
        if design.policy == "together":
            return oracle.Baseline(clock, world, kinds[0], design.prompt[1])
        if design.policy == "chunked":
            return oracle.Chunked(clock, world, kinds[0], design.prompt[1], design.batch_tokens)
        pools = kinds[0], design.prompt[1], kinds[1], design.token[1]
        return oracle.Split(clock, world, *pools, design.balance_s, design.decodes)

    rows = zip(requests.arrival_s.tolist(), requests.prompt.tolist(), requests.output.tolist(), strict=True)
    world = oracle.World(layers=LAYERS if semantics.layered else 0)
    return oracle.simulate(make, list(rows), world)


DESIGNS = [
    Design("together", "together", ("dgx-a100", 1)),
    Design("together", "together", ("dgx-h100", 3)),
    Design("split", "split", ("dgx-h100", 1), ("dgx-a100", 1)),
    Design("split", "split", ("dgx-a100", 3), ("dgx-a100", 2)),
    Design("split", "split", ("dgx-h100", 2), ("dgx-h100-pcap", 3)),
]
NEWER = [
    Design("chunked", "chunked", ("dgx-a100", 1)),
    Design("chunked", "chunked", ("dgx-h100", 3), batch_tokens=300),
    Design("balanced", "split", ("dgx-h100", 2), ("dgx-h100", 3), balance_s=0.7, decodes=4),
    Design("balanced", "split", ("dgx-a100", 5), ("dgx-a100", 1), balance_s=5.0, decodes=30),
]


@st.composite
def crowds(draw, least_output):
    count = draw(st.integers(1, 80))
    rate = draw(st.sampled_from([0.5, 5.0, 50.0, 500.0]))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    arrival = rng.exponential(1 / rate, count).cumsum() + 1e-3
    prompt = np.where(rng.random(count) < 0.2, rng.integers(1900, 8000, count), rng.integers(1, 2100, count))
    output = np.where(rng.random(count) < 0.2, least_output, rng.integers(least_output, 900, count))
    if draw(st.booleans()):
        output = np.where(rng.random(count) < 0.3, rng.integers(5_000, 20_000, count), output)
    return Requests(arrival, prompt.astype(np.int32), output.astype(np.int32))


def agree(design, requests, semantics, rel):
    run = simulate(design, requests, semantics, window=Window())
    expected, _, clock = by_oracle(design, requests, semantics)
    np.testing.assert_allclose(run.ttft_s, [request.ttft for request in expected], rtol=rel)
    np.testing.assert_allclose(run.e2e_s, [request.e2e for request in expected], rtol=rel)
    assert run.prompt_machine.tolist() == [request.prompt_machine.number for request in expected]
    assert run.token_machine.tolist() == [request.token_machine.number for request in expected]
    assert run.deadlock == (clock.now > oracle.LATEST_S)
    assert run.deadlock or run.end_s == pytest.approx(clock.now, rel=rel)
    gaps = np.array([gap for request in expected for gap in request.gaps])
    assert run.gaps.sum() == len(gaps)
    assert run.unfinished or len(gaps) == (requests.output - 1).sum()
    counted, _ = np.histogram(np.clip(gaps, GAP_EDGES[0], GAP_EDGES[-1]), GAP_EDGES)
    ours, theirs = np.cumsum(run.gaps), np.cumsum(counted)
    assert (ours[:-1] <= theirs[1:]).all() and (theirs[:-1] <= ours[1:]).all()  # on the edge of a bin either will do


@settings(max_examples=100, deadline=None, derandomize=True)
@given(crowds(least_output=2), st.sampled_from(DESIGNS))
def test_as_published(requests, design):
    agree(design, requests, PUBLISHED, 1e-12)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(crowds(least_output=1), st.sampled_from(DESIGNS))
def test_corrected(requests, design):
    agree(design, requests, CORRECTED, 1e-9)


@pytest.mark.parametrize("switched", ["by_context", "layered"])
@settings(max_examples=40, deadline=None, derandomize=True)
@given(crowds(least_output=1), st.sampled_from(DESIGNS))
def test_with_one_correction_alone(switched, requests, design):
    agree(design, requests, Semantics(**{"by_context": False, "layered": False, switched: True}), 1e-9)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(crowds(least_output=1), st.sampled_from(NEWER))
def test_chunked_and_balanced(requests, design):
    agree(design, requests, CORRECTED, 1e-9)
