"""A custom design by name: its machines, performance model and scheduler, and refusals."""

from dataclasses import replace

import numpy as np
import pytest

from jouleproof.serving.simulator.cost_model import Performance
from jouleproof.serving.simulator.machines import MACHINES, Design
from jouleproof.serving.simulator.performance import performance, times
from jouleproof.serving.simulator.served_models import served
from jouleproof.serving.simulator.simulate import simulate
from jouleproof.studies.phase_split.registry import designs
from tests.extension_example import cluster
from tests.phase_split import refused
from tests.phase_split.test_simulator import crowd

H100 = MACHINES["dgx-h100"]


def test_it_stands_beside_the_built_in_ones():
    by_name = designs(["splitwise_hh", "tests.extension_example.cluster:DESIGN"], "conv")
    assert list(by_name) == ["splitwise_hh", "h100_h20"]
    assert by_name["h100_h20"] is cluster.DESIGN and by_name["splitwise_hh"].prompt == ("dgx-h100", 25)


def test_its_performance_model_is_asked_about_the_model_that_is_served():
    for model in ("bloom-176b", "llama2-70b"):
        law = performance(cluster.H20, model, True)
        assert law.decode_s[0] == served(model).weight_bytes / (0.5 * 8 * 4.0e12)


def test_machines_of_other_knots_keep_their_times():
    h100, h20 = performance(H100, "bloom-176b", True), performance(cluster.H20, "bloom-176b", True)
    joined = times([h100, h20])
    for kind, law in enumerate((h100, h20)):
        asked = np.array([1.0, 300.0, 512.0, 5000.0, 9000.0])
        by_kind = {name: getattr(joined, name)[kind] for name in ("prompt_s", "decode_s", "prompt_w")}
        same = replace(law, tokens=joined.tokens, **by_kind)
        assert same.unloaded_prompt_s(asked) == pytest.approx(law.unloaded_prompt_s(asked))


def test_its_scheduler_places_every_request():
    requests = crowd(200)
    run = simulate(cluster.DESIGN, requests)
    assert run.unfinished == 0
    short = requests.output <= 16
    assert short.any() and (run.prompt_machine < 20).all()
    assert (run.token_machine[short] == run.prompt_machine[short]).all() and (run.token_machine[~short] >= 20).all()


def alone(prompt, output, load):
    """Schedule like `together`: on the machine with the fewest pending tokens, the first if several have."""
    machine = int(np.argmin(load.pending))
    return machine, machine


def test_a_scheduler_that_does_what_a_built_in_policy_does_gives_its_run():
    requests = crowd(300)
    mine, theirs = (simulate(Design("x", policy, ("dgx-a100", 5)), requests) for policy in (alone, "together"))
    assert np.array_equal(mine.e2e_s, theirs.e2e_s) and np.array_equal(mine.ttft_s, theirs.ttft_s)


@pytest.mark.parametrize(
    ("scheduler", "complaint"),
    [
        (
            lambda prompt, output, load: (0, 5),
            "x: policy must return two machines from 0 to 1, got (0, 5)",
        ),
        (lambda prompt, output, load: (0,), "must return two machines from 0 to 1, got (0,)"),
        (lambda prompt, output, load: 1 // 0, "design x: its policy failed on a request of "),
        (lambda prompt, output, load: (0.5, 1), "TypeError: 'float' object cannot be interpreted as an integer"),
        (lambda prompt: (0, 0), "cannot be called as (prompt, output, load) -> two machines"),
    ],
)
def test_a_scheduler_that_places_nowhere_is_one_line(scheduler, complaint):
    with refused(complaint):
        simulate(Design("x", scheduler, ("dgx-h100", 2)), crowd(3))


@pytest.mark.parametrize(
    ("profile", "complaint"),
    [
        (lambda machine: None, "machine mine: profile cannot be called as (machine, model) -> Performance"),
        (
            lambda machine, model: 3,
            "profile must return a jouleproof.serving.simulator.cost_model.Performance, got int",
        ),
        (
            lambda machine, model: Performance(*[np.ones(2)] * 3, np.zeros(3), np.ones(2), 1.0),
            "tokens must have at least two values",
        ),
        (
            lambda machine, model: Performance(*[np.arange(2.0)] * 3, np.zeros(2), np.ones(2), 1.0),
            "affine must have the shape (3,), got (2,)",
        ),
        (
            lambda machine, model: Performance(
                np.arange(2.0), np.full(2, np.nan), np.ones(2), np.zeros(3), np.ones(2), 1.0
            ),
            "must be finite",
        ),
    ],
)
def test_a_performance_model_that_is_none_is_one_line(profile, complaint):
    with refused(complaint):
        performance(replace(H100, name="mine", profile=profile), "bloom-176b", True)


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (["splitwise_xx"], "design 'splitwise_xx' is not known; built in: baseline_a100"),
        (["tests.extension_example.cluster:H20"], "is a Machine, not a jouleproof.serving.simulator.machines.Design"),
        (["splitwise_hh", "splitwise_hh"], "design: duplicate name 'splitwise_hh'"),
        (["tests.extension_example.cluster:NOTHING"], "cannot be loaded"),
    ],
)
def test_what_is_no_design_is_one_line(names, complaint):
    with refused(complaint):
        designs(names, "conv")
