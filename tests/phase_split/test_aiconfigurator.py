"""Times from aiconfigurator-core: plausible if it is installed, and a clear request to install it if not."""

from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from jouleproof.errors import UserError
from jouleproof.serving.simulator import aiconfigurator
from jouleproof.serving.simulator.machines import MACHINES, Design
from jouleproof.serving.simulator.performance import performance
from jouleproof.serving.simulator.simulate import PUBLISHED, simulate
from tests.phase_split.test_simulator import crowd

INSTALLED = find_spec("aiconfigurator_core") is not None
needs_it = pytest.mark.skipif(not INSTALLED, reason="the extra aiconfigurator is not installed")


def machine(system):
    return replace(MACHINES["dgx-h200"], profile=f"aiconfigurator:{system}", bandwidth=1.0, compute=1.0)


@pytest.mark.skipif(INSTALLED, reason="the extra aiconfigurator is installed")
def test_what_is_not_installed_is_asked_for():
    with pytest.raises(UserError, match=r"lock.py install aiconfigurator"):
        performance(machine("h200_sxm"), "llama2-70b", True)


@pytest.mark.parametrize(("model", "by_context"), [("bloom-176b", True), ("llama2-70b", False)])
def test_what_it_has_no_times_of_is_refused(model, by_context):
    with pytest.raises(UserError, match="has only times of llama2-70b"):
        performance(machine("h200_sxm"), model, by_context)


@needs_it
def test_a_system_that_it_does_not_know_is_named():
    with pytest.raises(UserError, match="no data for the system 'h900'"):
        performance(machine("h900"), "llama2-70b", True)


@needs_it
@pytest.mark.parametrize(
    ("system", "most"), [("h100_sxm", 0.04), ("h200_sxm", 0.04), ("b200_sxm", 0.1), ("gb200", 0.04)]
)  # its B200 is slower with 16 sequences than with 64
def test_the_law_fits_what_it_ships(system, most):
    knots = (128.0, 512.0, 2048.0, 8192.0)
    prompt_s, law, error = aiconfigurator.laws(system, 8, knots)
    assert error < most
    assert (np.diff(prompt_s) > 0).all() and 0.001 < law.constant < 0.05


@needs_it
def test_more_memory_bandwidth_decodes_faster():
    h100, h200 = (performance(machine(system), "llama2-70b", True) for system in ("h100_sxm", "h200_sxm"))
    assert h200.unloaded_token_s(np.array([1024.0])) < h100.unloaded_token_s(np.array([1024.0]))


@needs_it
def test_a_cluster_of_it_serves():
    cluster = Design("h200", "split", (machine("h200_sxm"), 2), (machine("h200_sxm"), 2))
    assert simulate(cluster, crowd(200), model="llama2-70b").unfinished == 0
    with pytest.raises(UserError):
        simulate(cluster, crowd(200), PUBLISHED, "llama2-70b")
