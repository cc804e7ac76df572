"""The highest load, and the pools that sustain it."""

import numpy as np
import pandas as pd
import pytest

from jouleproof.serving.config import LoadConfig
from jouleproof.serving.simulator.capacity import CapacitySearch, highest_load
from jouleproof.serving.simulator.clusters import FAMILIES, PUBLISHED_POOLS, Budget, Prices
from jouleproof.serving.simulator.evaluation import CORRECTED_SETUP, VERSIONS, Workload
from jouleproof.serving.simulator.machines import Design
from jouleproof.serving.simulator.service_levels import LIMITS, meets, slowdowns

HH = FAMILIES["splitwise_hh"]


class KnownLoads(CapacitySearch):
    """A search over designs whose highest load is known. fails: whether a design fails under a lower load too."""

    def __init__(self, most, fails=lambda design, rate: False, **settings):
        search = {"precision": 0.01, "search_seed": 0, "search_precision": 0.001, "pool_step": 0.05, **settings}
        super().__init__(Workload({}, LoadConfig()), CORRECTED_SETUP, "conv", **search)
        self.most, self.fails, self.asked = most, fails, []

    def meets(self, design, rate, seed):
        self.asked.append((design, rate, seed))
        return rate <= self.most(design) and not self.fails(design, rate)


def test_the_best_pools_are_those_that_bear_most():
    search = KnownLoads(lambda design: 100 - abs(design.prompt[1] - 20))
    design, load = search.best_pools(HH, Budget(190.4, 1760.0))
    assert design.prompt[1] == 20 and 100 / 1.0011 <= load <= 100


@pytest.mark.parametrize("prices", [Prices(), None])
def test_the_least_pools_are_the_cheapest_that_bear_the_load(prices):
    search = KnownLoads(lambda design: min(2 * design.prompt[1], 3 * design.token[1]), pool_step=0.2)
    design = search.least_pools(HH, 160, 60.0, prices)
    assert (design.prompt[1], design.token[1]) == (30, 20)
    with pytest.raises(ValueError, match="no pools of splitwise_hh with at most 160 machines sustain 1e\\+06"):
        search.least_pools(HH, 160, 1e6, prices)


def test_what_was_found_once_is_not_searched_again():
    search = KnownLoads(lambda design: 50.0)
    searches = [(search.max_load(HH.design(3, 2), 1), search.best_pools(HH, Budget(190.4, 1760.0))) for _ in range(2)]
    assert searches[0] == searches[1] and len(set(search.asked)) == len(search.asked)


def test_a_load_under_another_seed_is_the_guess_for_the_next():
    search = KnownLoads(lambda design: 200.0)
    design = HH.design(3, 2)
    first = search.max_load(design, 1)
    assert next(rate for _, rate, seed in search.asked if seed == 1) == 60.0
    search.max_load(design, 2)
    assert next(rate for _, rate, seed in search.asked if seed == 2) == first


def test_a_scheduler_without_a_hash_can_be_searched():
    class Scheduler:
        __hash__ = None

        def __call__(self, prompt, output, load):
            return 0, 0

    design = Design("own", Scheduler(), ("dgx-h100", 2))
    assert 50 / 1.011 <= KnownLoads(lambda design: 50.0).max_load(design, 1) <= 50


@pytest.mark.parametrize("start", [20.0, 59.0, 60.0, 61.0, 200.0])
@pytest.mark.parametrize("apart", [1.15, 1.5])
@pytest.mark.parametrize("edge", [0.3, 7.0, 60.0, 61.0, 500.0])
def test_the_highest_load_is_found_to_its_precision_from_any_guess(edge, apart, start):
    assert edge / 1.011 <= highest_load(lambda rate: rate <= edge, start, 0.01, apart) <= edge


def test_a_load_that_is_known_to_be_borne_is_the_least_that_is_found():
    assert highest_load(lambda rate: rate <= 50, 55.0, 0.01, 1.1, sustained=50.0) == 50.0


@pytest.mark.parametrize("start", [30.0, 60.0, 110.0, 215.0, 300.0])
@pytest.mark.parametrize("apart", [1.15, 1.5])
def test_a_load_is_not_the_highest_while_a_lower_one_fails(start, apart):
    def passes(rate):
        return rate <= 55 or 100 <= rate <= 215

    assert 55 / 1.011 <= highest_load(passes, start, 0.01, apart) <= 55


def test_pools_that_fail_below_the_load_that_they_bear_are_not_the_best():
    search = KnownLoads(
        most=lambda design: 100 + design.prompt[1],
        fails=lambda design, rate: design.prompt[1] > 29 and 20 <= rate <= 70,
    )
    design, load = search.best_pools(HH, Budget(190.4, 1760.0))
    assert design.prompt[1] == 29 and 129 / 1.0011 <= load <= 129
    assert [search.max_load(design, seed) for seed in (1, 2)] == pytest.approx([129, 129], rel=0.011)


def test_pools_that_fail_below_a_load_do_not_sustain_it():
    search = KnownLoads(
        most=lambda design: min(2 * design.prompt[1], 3 * design.token[1]),
        fails=lambda design, rate: design.token[1] < 25 and 20 <= rate <= 40,
        pool_step=0.2,
    )
    assert search.least_pools(HH, 160, 60.0, Prices()).token[1] == 25


def test_no_load_at_all_is_nought():
    assert highest_load(lambda rate: False, 60.0, 0.01) == 0.0


def test_all_nine_levels_are_needed():
    assert meets(LIMITS - 1e-9) and not meets(LIMITS)
    for place in [(i, j) for i in range(3) for j in range(3)]:
        ratios = LIMITS - 1e-9
        ratios[place] = float("inf")
        assert not meets(ratios)
        ratios[place] = float("nan")
        assert not meets(ratios)


@pytest.mark.parametrize("version", list(VERSIONS))
@pytest.mark.parametrize("rate", [30.0, 80.0, 150.0])
@pytest.mark.parametrize("name", ["baseline_a100", "splitwise_hh"])
def test_a_hopeless_run_is_given_up_only_if_it_would_have_failed(version, rate, name):
    rng = np.random.default_rng(0)
    trace = pd.DataFrame(
        {
            "arrival_s": np.arange(500.0),
            "prompt_tokens": rng.integers(100, 3000, 500),
            "output_tokens": rng.integers(2, 600, 500),
        }
    )
    workload, setup = Workload({"conv": trace}, LoadConfig(seconds=30.0, warm_up=5.0, drain=5.0)), VERSIONS[version]
    design = FAMILIES[name].design(*PUBLISHED_POOLS["conv"][name])
    run = workload.run(setup, design, "conv", rate, 0)
    whole = meets(slowdowns(run, setup.semantics, setup.reading, workload.window, setup.model))
    assert workload.meets(setup, design, "conv", rate, 0) == whole
