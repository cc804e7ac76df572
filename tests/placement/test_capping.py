"""A row under a controller: nothing changes below the thresholds, and servers slow as published above them."""

from dataclasses import replace

import numpy as np
import pytest

from jouleproof.power.capping import BRAKE_CLOCK, CLOCK_POWER, CappedRow, simulate
from jouleproof.power.controllers import CONTROLLERS, Controller
from jouleproof.power.kernels import Pieces
from jouleproof.power.time_grid import SAMPLES
from tests.placement.small import plain_fleet

IDLE, MOST = 100.0, 1000.0


def row(watts, controller, budget, critical=None, piece=0.0, **factors):
    """Simulate servers that draw constant power, plus a texture of one piece."""
    fleet = plain_fleet(watts, nameplate_w=MOST, idle_w=IDLE)
    if critical is not None:
        fleet = replace(fleet, critical=np.asarray(critical))
    zeros = np.zeros(fleet.count, int)
    pieces = Pieces(np.full((1, SAMPLES), piece, np.float32), first=zeros, length=zeros + 1, ahead=zeros)
    return simulate(fleet, pieces, budget, controller, **factors)


@pytest.mark.parametrize("name", CONTROLLERS)
def test_a_row_well_below_its_budget_is_left_alone(name):
    watts = np.full((4, 3), 500.0)
    done = row(watts, CONTROLLERS[name], budget=4000.0)
    assert done.brakes == 0 and done.lost == 0 and done.energy_j == pytest.approx(watts.sum() * 300)
    assert done.shares[0].tolist() == [1, 0, 0, 0] and done.peak_w == pytest.approx(2000.0)


def test_above_the_first_threshold_low_priority_slows_and_high_does_not():
    done = row(np.full((2, 4), 850.0), CONTROLLERS["polca"], budget=2000.0, critical=[False, True])
    assert done.shares[0][1] > 0.9 and done.shares[1][1] > 0.9 and done.clocks[1][1] == 1.0
    slowed = IDLE + 750.0 * (1275 / 1410) ** CLOCK_POWER + 850.0
    assert done.energy_j < 1700 * 1200 and slowed < 1700
    assert done.lost == pytest.approx(0.5 * (1 - 1275 / 1410), rel=0.1)


def test_actions_take_their_time():
    slow = Controller(first=0.5, low=0.5, release=0.45, acts_s=100)
    done = row(np.full((1, 1), 600.0), slow, budget=1000.0)
    assert done.shares[0][1] == pytest.approx(1 - 51 / 150, abs=0.02)


def test_above_the_budget_all_are_braked():
    done = row(np.full((3, 2), 1000.0), CONTROLLERS["none"], budget=2500.0)
    assert done.brakes >= 1 and done.shares[0][3] > 0.5 and done.clocks[0][3] == BRAKE_CLOCK


def test_work_left_undone_is_done_later():
    watts = np.concatenate([np.full((1, 1), 900.0), np.full((1, 11), 500.0)], axis=1)
    done = row(watts, Controller(first=0.8, low=0.9, acts_s=2), budget=1000.0)
    assert done.shares[0][1] > 0 and done.lost == pytest.approx(0.0, abs=1e-9)


def test_servers_that_are_not_there_draw_nothing():
    watts = np.array([[500.0, 0.0], [0.0, 0.0]])
    done = row(watts, CONTROLLERS["none"], budget=4000.0)
    assert done.peak_w.tolist() == [500.0, 0.0] and done.energy_j == pytest.approx(500.0 * 300)


def test_a_latency_factor_is_of_the_share_that_goes_with_the_clock():
    done = CappedRow(
        peak_w=np.zeros(1),
        brakes=0,
        clocks=np.array([[1.0, 0.8, 0.5, 0.2]] * 2),
        shares=np.array([[0.6, 0.395, 0.005, 0]] * 2),
        energy_j=0.0,
        lost=0.0,
        bound_by_clock=1.0,
    )
    assert done.latency_factor(0, 50) == 1.0 and done.latency_factor(0, 99) == 1.25
    assert replace(done, bound_by_clock=0.1).latency_factor(1, 99.9) == pytest.approx(1.1)
    assert replace(done, bound_by_clock=0.0).latency_factor(1, 99.9) == 1.0


def test_a_brake_comes_though_the_peak_is_over_by_then_and_the_slower_order_before_it_does_not_undo_it():
    piece = np.zeros(SAMPLES)
    piece[10:14], piece[14] = 350.0, 450.0
    slow = Controller(first=0.8, second=0.95, low=0.9, lower=0.8, high=0.9, acts_s=20)
    done = row(np.full((1, 1), 500.0), slow, budget=950.0, piece=piece)
    assert done.brakes == 1 and done.shares[0][3] > 0


def test_no_sample_is_more_than_a_server_can_draw():
    done = row(np.full((1, 2), 900.0), CONTROLLERS["none"], budget=5000.0, piece=700.0)
    assert done.peak_w.tolist() == [MOST, MOST]


def test_what_the_clock_hardly_binds_is_hardly_left_undone():
    slow = Controller(first=0.5, low=0.5, release=0.45, acts_s=2)
    whole, hardly = (
        row(np.full((1, 2), 600.0), slow, budget=1000.0, bound_by_clock=bound).lost for bound in (1.0, 0.1)
    )
    assert 0 < hardly < 0.25 * whole
