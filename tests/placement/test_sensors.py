"""Sensors, textures and peaks."""

import numpy as np
import pandas as pd
import pytest

from jouleproof.errors import UserError
from jouleproof.power.sensors import SENSORS, Sensor, read
from jouleproof.power.time_grid import SAMPLES, WEEK
from jouleproof.power.traces import pieces_of, samples, textures_of
from jouleproof.power.workloads import KINDS, fleet
from tests.placement.small import power_trace

WATTS = np.random.default_rng(0).uniform(1000, 5000, 600)


def test_an_ideal_sensor_reads_every_sample():
    times, values = read(SENSORS["ideal"], WATTS, [0])
    assert times.tolist() == list(range(2, 1202, 2)) and values == pytest.approx(WATTS)


def test_windows_are_means_and_come_late():
    times, values = read(Sensor(60, 60, "", delay_s=30), WATTS, [0])
    assert times[0] == 90 and len(values) == 20
    assert values == pytest.approx(WATTS.reshape(20, 30).mean(axis=1))


def test_a_part_time_sensor_misses_what_happens_while_it_does_not_look():
    watts = np.tile([4000.0, 0.0, 0.0, 0.0], 10)
    assert read(Sensor(8, 8, "", duty=0.25), watts, [0])[1].tolist() == [4000.0] * 10
    assert read(Sensor(8, 8, ""), watts, [0])[1].tolist() == [1000.0] * 10


def test_steps_gains_and_losses():
    assert set(read(Sensor(2, 2, "", step_w=20.0), WATTS, [0])[1] % 20) == {0.0}
    ratio = read(Sensor(2, 2, "", gain=0.05), WATTS, [1])[1] / WATTS
    assert ratio == pytest.approx(ratio[0]) and 0 < abs(ratio[0] - 1) <= 0.05
    assert 500 < len(read(Sensor(2, 2, "", lost=0.1), WATTS, [0])[1]) < 590


@pytest.mark.parametrize("seconds", [(3, 3), (2, 5), (0, 2), (1, 2)])
def test_a_sensor_whose_times_are_no_whole_samples_is_refused(seconds):
    with pytest.raises(UserError, match="sensor: every_s and window_s must be whole numbers of 2 s, got"):
        Sensor(*seconds, "")


def test_textures_change_no_mean_of_five_minutes():
    for name, pieces in textures_of(power_trace()).items():
        assert pieces.shape[1] == SAMPLES and abs(pieces.mean(axis=1)).max() < 1e-9, name


def test_samples_add_up_to_the_mean_where_nothing_falls_below_idle():
    workloads = fleet(6, 1, 0, kinds={"token": KINDS["token"]})
    watts = samples(workloads, np.array([1, 4]), pieces_of(workloads, textures_of(power_trace())))
    assert watts.shape == (WEEK * SAMPLES,)
    assert watts.reshape(WEEK, -1).mean(axis=1) == pytest.approx(workloads.watts[[1, 4]].sum(axis=0), rel=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table[table["pool"] == "prompt"], "no token machines"),
        (lambda table: table.drop(index=5), "gaps"),
        (lambda table: table.assign(t_s=table["t_s"] * 1.5), "not 2 s apart"),
        (lambda table: table.assign(value=-1.0), "negative watts"),
        (lambda table: table[table["t_s"] < 100], "shorter than one slot"),
        (lambda table: pd.concat([table, table[:1]]), "duplicate sample of a prompt machine"),
    ],
)
def test_a_broken_power_trace_is_one_line(change, message):
    with pytest.raises(UserError, match=message):
        textures_of(change(power_trace()))
