"""A fleet from a user's trace: how it is read, and one-line messages about broken ones."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jouleproof.errors import UserError
from jouleproof.power.time_grid import WEEK
from jouleproof.studies.placement.recorded import checked, fleet_of, recorded
from tests.extension_example import placement as example

TABLE = example.fleet(workloads=4, weeks=3)
PER_WORKLOAD = 3 * WEEK


def trace(table=TABLE):
    return checked(table, "mine")


def test_watts_are_means_of_five_minutes_by_workload_in_any_order_of_rows():
    workloads = trace()
    assert workloads.watts.shape == (4, PER_WORKLOAD)
    assert workloads.watts[2] == pytest.approx(TABLE["watts"][2 * PER_WORKLOAD : 3 * PER_WORKLOAD])
    by_time = TABLE.sort_values("t_s", kind="stable")
    assert np.array_equal(trace(by_time).watts, workloads.watts)
    finer = pd.DataFrame({"workload": "a", "t_s": np.arange(0, 3 * WEEK * 300, 100), "watts": 5.0})
    finer["watts"] += np.tile([0.0, 3.0, 6.0], PER_WORKLOAD)
    assert trace(finer).watts.tolist() == [[8.0] * PER_WORKLOAD]


def test_a_file_says_the_same_as_the_table(tmp_path):
    for write, name in ((lambda path: TABLE.to_csv(path, index=False), "mine.csv"), (TABLE.to_parquet, "mine.parquet")):
        write(tmp_path / name)
        workloads = recorded(str(tmp_path / name))
        assert workloads.name == "mine" and workloads.watts == pytest.approx(trace().watts, rel=1e-12)
        assert workloads.kind.tolist() == ["web", "training"] * 2 and workloads.critical.tolist() == [True, False] * 2


NAMES = ["NA", "null", "None", "nan", "-", "#N/A", "1e5", "1e05", "007", "7", "True", "2024-01-01"]


@pytest.mark.parametrize("name", ["mine.csv", "mine.parquet", "mine.pq"])
def test_names_are_names_whatever_else_they_could_be_read_as(tmp_path, name):
    one = TABLE[:PER_WORKLOAD]
    table = pd.concat([one.assign(workload=name, kind=name, tenant=name, watts=one["watts"] / 2) for name in NAMES])
    (table.to_csv if name.endswith(".csv") else table.to_parquet)(tmp_path / name, index=False)
    workloads = recorded(str(tmp_path / name))
    assert workloads.kind.tolist() == NAMES and len(set(workloads.tenant)) == len(NAMES)


@pytest.mark.parametrize("step", [0.1, 0.3, 1 / 3, 300 / 7, 60.0])
@pytest.mark.parametrize("times", [
    lambda count, step: np.arange(count) * step,
    lambda count, step: np.full(count, step).cumsum(),
    lambda count, step: np.round(np.arange(count) * step, 6) + 1e6,
])  # fmt: skip
def test_a_step_divides_five_minutes_but_for_the_rounding_of_fractions(step, times):
    slot = round(300 / step)
    table = pd.DataFrame({"workload": "a", "t_s": times(2 * slot + 1, step), "watts": np.arange(2 * slot + 1)})
    assert trace(table).watts == pytest.approx(np.array([[(slot - 1) / 2, (3 * slot - 1) / 2]]))


@pytest.mark.parametrize("step", [0.07, 0.7, 250.0, 301.0, 600.0])
def test_a_step_that_does_not_divide_five_minutes_is_refused(step):
    table = pd.DataFrame({"workload": "a", "t_s": np.arange(1000) * step, "watts": 1.0})
    with pytest.raises(UserError, match=f"an integer fraction of that apart, got {step:g} s; t_s is in seconds"):
        trace(table)


@pytest.mark.parametrize(
    ("factor", "message"),
    [
        (1e-3, "no workload draws more than 7.39.* W, below 10% of placement.fleet.nameplate_w, 10,200 W; give watts"),
        (1 / 10_200, "no workload draws more than 0.72"),
        (100 / 10_200, "no workload draws more than 72.5"),
        (300 / 3600, "no workload draws more than 616.6"),
        (1e3, "7,399,994 W is above placement.fleet.nameplate_w, 10,200 W; give watts"),
    ],
    ids=["kW", "shares", "per cent", "Wh", "mW"],
)
def test_watts_in_another_unit_are_refused(factor, message):
    with pytest.raises(UserError, match=message):
        fleet_of(trace(TABLE.assign(watts=TABLE["watts"] * factor)), 4, 3, 0, "same", 10_200.0)


def test_critical_is_0_or_1_or_says_so():
    for values in (TABLE["critical"] == 1, TABLE["critical"] * 1.0, TABLE["critical"].astype(str)):
        assert trace(TABLE.assign(critical=values)).critical.tolist() == [True, False] * 2


def changed(row, **values):
    table = TABLE.astype({"t_s": float})
    for name, value in values.items():
        table.loc[row, name] = value
    return table


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (TABLE.drop(index=70), "workload w0 at 21300 s: samples before it are missing"),
        (changed(70, watts=np.nan), "workload w0 at 21000.0 s: watts must be a finite number"),
        (changed(70, watts=-1.0), "workload w0 at 21000.0 s: negative watts"),
        (pd.concat([TABLE, TABLE[70:71]]), "workload w0 at 21000 s: duplicate sample"),
        (changed(70, t_s=150.0), "workload w0 at 150.0 s: the clock goes backwards"),
        (changed(70, t_s=21_100.0), "samples must be 300 s or an integer fraction of that apart, got 200 s"),
        (changed(slice(70, PER_WORKLOAD - 1), t_s=np.arange(PER_WORKLOAD - 70) * 300.0 + 21_150), "the clock jumps"),
        (changed(70, t_s=np.inf), "t_s must be a finite number"),
        (TABLE[: 2 * PER_WORKLOAD - 5], "workload w1 must begin and end at the same times as w0"),
        (changed(70, tenant="t3"), "tenant must have one value in all rows of a workload"),
        (TABLE.assign(critical=2), "critical must be 0 or 1, got 2"),
        (changed(slice(0, PER_WORKLOAD - 1), kind=""), "kind must have one value in all rows"),
        (changed(slice(0, PER_WORKLOAD - 1), workload=""), "the workload has no name"),
        (TABLE.assign(t_s=pd.to_datetime(TABLE["t_s"], unit="s")), "t_s is a date; needed: seconds"),
        (TABLE.assign(t_s=pd.to_timedelta(TABLE["t_s"], unit="s")), "t_s is a duration; needed: seconds"),
        (TABLE.assign(watts=TABLE["watts"] > 0), "watts is true or false; needed: watts"),
        (TABLE.assign(kind=[["web"]] * len(TABLE)), "kind must hold names, got a list"),
        (TABLE.drop(columns="watts"), "expected rows of workload, t_s, watts"),
        (TABLE.assign(price=1), "optionally kind, tenant, critical"),
        (TABLE[:0], "got 0 rows"),
        (TABLE.assign(t_s=TABLE["t_s"] * 2), "apart, got 600 s"),
    ],
)  # fmt: skip
def test_a_broken_trace_is_one_line(table, message):
    with pytest.raises(UserError, match=message) as caught:
        trace(table)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_table_is_one_line(tmp_path):
    for name in ("mine.parquet", "mine.csv"):
        (tmp_path / name).write_bytes(b"\xff\xfe\x00")
        with pytest.raises(UserError, match="cannot be read"):
            recorded(str(tmp_path / name))
    broken = pa.array([b"\xe2"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"workload": broken, "t_s": [0], "watts": [1.0]}), tmp_path / "text.parquet")
    with pytest.raises(UserError, match="cannot be read"):
        recorded(str(tmp_path / "text.parquet"))
    with pytest.raises(UserError, match="is a Rule, not a table"):
        recorded("tests.extension_example.placement:FLAT")


def test_a_fleet_holds_workloads_of_the_trace_none_twice_and_of_a_mix_more_of_what_it_is_named_after():
    many = checked(example.fleet(workloads=40), "mine")
    sample = fleet_of(many, 20, 3, 0, "same", 10_200.0)
    rows = [np.flatnonzero((many.watts.astype(np.float32) == fleet).all(axis=1)) for fleet in sample.watts]
    assert all(len(row) == 1 for row in rows) and len({int(row[0]) for row in rows}) == 20
    assert sample.idle_w == many.watts.min() and sample.most_w == 10_200.0
    assert np.array_equal(fleet_of(many, 20, 3, 0, "same", 10_200.0).watts, sample.watts)
    heavy = [fleet_of(many, 20, 3, seed, "train_heavy", 10_200.0) for seed in range(3)]
    assert np.mean([fleet.kind == fleet.kinds.index("training") for fleet in heavy]) > 0.6


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ((4, 4, 0, "same", 10_200.0), r"expected at least 4 weeks .*, got 3.00"),
        ((5, 3, 0, "same", 10_200.0), "expected at least 5 workloads, got 4; lower placement.fleet.servers"),
        ((4, 3, 0, "same", 5_000.0), "W is above placement.fleet.nameplate_w, 5,000 W"),
    ],
)
def test_a_trace_that_is_too_short_too_small_or_too_hot_is_one_line(asked, message):
    with pytest.raises(UserError, match=message):
        fleet_of(trace(), *asked)


def test_a_trace_that_never_changes_is_one_line():
    with pytest.raises(UserError, match="all workloads draw the same power all the time"):
        fleet_of(trace(TABLE.assign(watts=500.0)), 4, 3, 0, "same", 10_200.0)
