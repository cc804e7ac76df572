"""Costs of sets of levers: computed by hand where nothing is uncertain, and invariants for any draws."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jouleproof.studies.joint.config import AssumptionsConfig
from jouleproof.studies.joint.evidence import SOURCES
from jouleproof.studies.joint.savings import LEVERS, MEASURES, SUBSETS, overlap, uniform, with_levers
from jouleproof.studies.joint.service import MEGAWATTS, Service
from tests.joint.small_tables import draws, service_energy

PLAIN_J, PLAIN_KW = 1910.0, 5.0
SERVICE = Service(service_energy(), "together")


def joules(levers, **changed):
    return with_levers(SERVICE, levers, draws(**changed))["joules"][0]


def megawatts(levers, **changed):
    return with_levers(SERVICE, levers, draws(**changed))["megawatts"][0]


def test_without_levers_a_request_takes_what_was_simulated():
    assert joules(()) == pytest.approx(PLAIN_J)
    assert megawatts(()) == pytest.approx(PLAIN_KW / 3.6)


def test_a_kilowatt_for_one_request_a_second_is_a_3600th_of_a_million_an_hour():
    assert pytest.approx(1 / 3.6) == MEGAWATTS


@pytest.mark.parametrize(("bits", "realised", "share"), [(4.25, 1.0, 4.25), (8.25, 1.0, 8.25), (4.25, 0.5, 10.125)])
def test_mx_saves_in_proportion_to_the_bits_that_kernels_do_not_read(bits, realised, share):
    assert joules(("mx",), stored_bits=bits, realised=realised) == pytest.approx(PLAIN_J * share / 16)


@pytest.mark.parametrize(("realised", "left"), [(1.0, 0.8), (0.5, 0.9), (0.0, 1.0)])
def test_splitting_gives_the_share_of_its_effect_that_is_realised(realised, left):
    assert joules(("split",), split_realised=realised) == pytest.approx(left * PLAIN_J)
    assert megawatts(("split",), split_realised=realised) == pytest.approx(left * PLAIN_KW / 3.6)


def test_placement_leaves_joules_nearly_alone_and_divides_power_by_its_gain():
    assert joules(("placement",)) == pytest.approx(0.98 * PLAIN_J)
    assert megawatts(("placement",)) == pytest.approx(PLAIN_KW / 3.6 / (1.04 * 1.25))


def test_in_a_hall_of_its_own_placement_gains_what_mixing_the_pools_does():
    assert megawatts(("placement",), neighbours=0.0) == pytest.approx(megawatts(()))
    assert megawatts(("split", "placement"), neighbours=0.0) == pytest.approx(megawatts(("split",)) * 5000 / 6000)


def test_the_small_model_takes_its_share_and_costs_a_tenth_of_it():
    answered = 0.8 * 0.5  # capable in the middle of its bounds, half of that recognised
    assert joules(("small",)) == pytest.approx(PLAIN_J * (1 - answered + 0.1 * answered))


def test_a_request_sent_by_mistake_costs_both_answers():
    extra = 0.1 * (1 - 0.8) * 0.3 * PLAIN_J
    assert joules(("small",), mistaken=0.3) == pytest.approx(joules(("small",)) + extra)


def test_the_router_costs_its_share_of_every_request():
    assert joules(("small",), router=0.01) == pytest.approx(joules(("small",)) + 0.01 * PLAIN_J)


def test_no_more_is_taken_than_was_simulated():
    everything = {"capable_least": 1.0, "recognised": 1.0}
    assert joules(("small",), **everything) == pytest.approx(PLAIN_J * (0.2 + 0.1))


def test_hosts_that_stand_ready_at_night_are_in_the_joules_of_a_request():
    assert joules((), day_level=0.5) == pytest.approx(PLAIN_J + 400)
    assert joules((), day_level=0.75) == pytest.approx(PLAIN_J + 400 / 3)
    assert megawatts((), day_level=0.5) == pytest.approx(megawatts(()))


@pytest.mark.parametrize(("name", "part"), [("prompt_power", 500), ("token_power", 1000), ("host_power", 400)])
def test_watts_scale_the_joules_of_their_part_alone(name, part):
    assert joules((), **{name: 1.5}) == pytest.approx(PLAIN_J + 0.5 * part)


def test_savings_multiply_where_nothing_interferes():
    taken = {subset: with_levers(SERVICE, subset, draws())["joules"] for subset in SUBSETS}
    assert overlap(taken, ("mx", "split"))[0] == pytest.approx(1.0)


def test_savings_overlap_where_few_requests_split_badly():
    service = Service(service_energy(tilt=0.5), "together")
    taken = {subset: with_levers(service, subset, draws())["joules"] for subset in SUBSETS}
    assert overlap(taken, ("split", "small"))[0] < 0.99


def test_overlap_is_joint_saving_over_the_product():
    taken = {(): np.array([100.0]), ("a",): np.array([50.0]), ("b",): np.array([80.0]), ("a", "b"): np.array([50.0])}
    assert overlap(taken, ("a", "b"))[0] == pytest.approx((100 / 50) / (2.0 * 1.25))


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_whatever_is_drawn_every_set_takes_something_and_mx_and_splitting_never_cost(seed):
    sample = draws(50)
    rng = np.random.default_rng(seed)
    for name, (low, high) in AssumptionsConfig().model_dump().items():
        sample[name] = rng.uniform(low, high, 50)
    taken = {subset: with_levers(SERVICE, subset, sample) for subset in SUBSETS}
    for measure in MEASURES:
        cost = {subset: by_measure[measure] for subset, by_measure in taken.items()}
        assert all((values > 0).all() and np.isfinite(values).all() for values in cost.values())
        for lever, subset in product(("mx", "split"), SUBSETS):
            more = tuple(name for name in LEVERS if name in (*subset, lever))
            assert (cost[more] <= cost[subset] * (1 + 1e-12)).all()


def test_draws_are_seeded_and_each_assumption_has_a_stream_of_its_own():
    narrow = AssumptionsConfig(recognised=[0.5, 0.5])
    first, again, other = (uniform(config, 20, 3) for config in (AssumptionsConfig(), AssumptionsConfig(), narrow))
    assert all((first[name] == again[name]).all() for name in first)
    assert {name for name in first if (first[name] != other[name]).any()} == {"recognised"}


def test_assumptions_and_tables_name_all_that_is_drawn_once():
    names = [*AssumptionsConfig.model_fields, *SOURCES]
    assert sorted(names) == sorted(draws())
