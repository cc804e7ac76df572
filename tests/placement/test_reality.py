"""Comparison of recorded data with the generated fleet, and messages about missing data."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jouleproof.inputs import read_power_cdf
from jouleproof.inputs.resolve import COMMITTED
from jouleproof.paths import data_files
from jouleproof.power.time_grid import DAY, WEEK
from jouleproof.studies.placement import RECORDED
from jouleproof.studies.placement.config import FleetConfig, RealityConfig
from jouleproof.studies.placement.experiments.reality import GOOGLE, _evens_out, _repeats, reality
from jouleproof.study import find_study
from tests.placement.small import CONFIG

STUDY = find_study("placement")


@pytest.fixture(scope="module")
def recorded():
    """Return the experiment's inputs by id."""
    files = {name: COMMITTED / f"{name}.parquet" for name in RECORDED}
    return files | {"acme_power": read_power_cdf(files["acme_power"])}


def domain(path, weeks=2):
    """Write a domain's power that repeats every day, with one measurement flagged as bad."""
    slots = np.arange(weeks * WEEK)
    flagged = np.where(slots == 700, "true", "false")
    columns = {
        "time": (slots + 2) * 300_000_000,
        "cell": "a",
        "pdu": "pdu6",
        "bad_production_power_data": "false",
        "measured_power_util": np.where(slots == 700, np.nan, 0.6 + 0.1 * np.sin(2 * np.pi * slots / DAY)),
        "production_power_util": 0.5,
        "bad_measurement_data": flagged,
    }
    pd.DataFrame(columns).to_csv(path, index=False)
    return str(path)


def named_by(config, experiment):
    """Return the files that the knobs of an experiment name."""
    spec = STUDY.experiments[experiment]
    return data_files(STUDY.knobs(spec, STUDY.knobs_json(spec, config)).model_dump())


def test_google_s_data_and_a_trace_of_one_s_own_stand_beside_the_others_where_they_are_had(recorded, tmp_path):
    bare = reality(CONFIG, **recorded)
    had = bare[bare["metric"] == "had"]
    assert had["data"].tolist() == [GOOGLE] and had["value"].tolist() == [0.0]
    assert not len(bare[(bare["data"] == GOOGLE) & (bare["metric"] != "had")])
    assert {"Bitbrains", "SURF jobs"} <= set(bare[bare["metric"] == "next_day"]["data"])
    file = domain(tmp_path / "cella_pdu6.csv")
    config = CONFIG.model_copy(
        update={
            "reality": RealityConfig(google=[file]),
            "fleet": FleetConfig(servers=20, trace="tests.extension_example.placement:fleet"),
        }
    )
    assert named_by(config, "reality") == [Path(file)]
    values = reality(config, **recorded).set_index(["data", "metric", "percent"])["value"]
    assert values[GOOGLE, "had", 0.0] == 1.0 and values[GOOGLE, "repeats", 50.0] == pytest.approx(1.0, abs=0.01)
    assert values[GOOGLE, "power_quantile", 100.0] == 1.0 and values["fleet", "power_quantile", 100.0] == 1.0
    generated = bare[bare["data"].str.startswith("generated")].set_index(["data", "metric", "percent"])["value"]
    assert values[generated.index].equals(generated)


def test_a_trace_that_is_called_like_other_data_has_rows_of_its_own(recorded, tmp_path):
    from tests.extension_example.placement import fleet

    fleet().to_parquet(tmp_path / "Bitbrains.parquet")
    config = CONFIG.model_copy(update={"fleet": FleetConfig(servers=20, trace=str(tmp_path / "Bitbrains.parquet"))})
    table = reality(config, **recorded)
    assert {"Bitbrains", "trace Bitbrains"} <= set(table["data"])
    assert not table.duplicated(["data", "metric", "percent"]).any()


def test_files_of_a_researchers_own_are_found_by_the_experiments_that_read_them(tmp_path):
    google, trace = domain(tmp_path / "cella_pdu6.csv"), tmp_path / "trace.parquet"
    trace.touch()
    change = {"reality": RealityConfig(google=[google]), "fleet": FleetConfig(servers=20, trace=str(trace))}
    config = CONFIG.model_copy(update=change)
    assert set(named_by(config, "reality")) == {trace, Path(google)} and named_by(config, "hosting") == [trace]
    assert named_by(config, "scale") == named_by(config, "sensed") == named_by(CONFIG, "reality") == []


def test_days_that_are_not_there_for_a_whole_day_are_left_out():
    days = np.tile(np.sin(2 * np.pi * np.arange(DAY) / DAY), (1, 4))
    days[0, 2 * DAY : 2 * DAY + 5] = np.nan
    rows = _repeats("", days, "measured")
    assert {row["metric"] for row in rows} == {"next_day"} and rows[1]["value"] == pytest.approx(1.0)


def test_loads_at_the_same_time_do_not_even_out_and_those_one_after_the_other_do():
    together, apart = np.tile(np.arange(DAY) < 10, (10, 1)), np.arange(DAY) // 10 == np.arange(10)[:, None]
    assert {row["value"] for row in _evens_out("", together.astype(float), "measured")} == {1.0}
    assert {row["value"] for row in _evens_out("", apart.astype(float), "measured")} == {10.0}
    assert _evens_out("", together[:9].astype(float), "measured") == []
