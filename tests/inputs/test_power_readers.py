"""Recorded jobs and power domains: exact values, and an error of one line on any other content."""

import gzip

import numpy as np
import pandas as pd
import pytest

from jouleproof.inputs import InputError, read_job_use, read_power_domain
from jouleproof.inputs.resolve import COMMITTED

STEP_US = 300_000_000


@pytest.fixture
def jobs(tmp_path):
    """Job 1 runs for ten minutes from the beginning; job 2 runs for five, starting 30 s before the second slot."""

    def make(change=lambda used, described: (used, described)):
        used = pd.DataFrame(
            {
                "id": [1] * 20 + [2] * 10,
                "duration": 30_000,
                "cpu_usage": [50.0] * 10 + [100.0, 0.0] * 5 + [200.0] + [20.0] * 9,
            }
        )
        described = pd.DataFrame({"id": [1, 2], "submission_time": [1_000_000, 1_270_000],
                                  "duration": [600_000, 300_000], "cpu_capacity": [100.0, 200.0]})  # fmt: skip
        used, described = change(used, described)
        used.to_parquet(tmp_path / "fragments")
        described.to_parquet(tmp_path / "tasks")
        return tmp_path / "fragments", tmp_path / "tasks"

    return make


def test_the_use_of_jobs_is_a_mean_by_slot_since_the_first_came(jobs):
    use = read_job_use(*jobs(), 300.0)
    assert use[1].tolist() == pytest.approx([0.5, 0.5]) and use[2].tolist() == pytest.approx([1.0, 0.1])
    assert list(read_job_use(*jobs(), 600.0).columns) == [1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda used, described: (used.assign(cpu_usage=-1.0), described), "cpu_usage is not a number"),
        (lambda used, described: (used.assign(duration=0), described), "duration is not a number"),
        (lambda used, described: (used.assign(cpu_usage=used["cpu_usage"] / 1e4), described), "needed: both in MHz"),
        (lambda used, described: (used.assign(cpu_usage=used["cpu_usage"] * 1e3), described), "needed: both in MHz"),
        (lambda used, described: (used.assign(duration=30), described), "no duration is above 30 ms; needed: ms"),
        (
            lambda used, described: (used.assign(duration=pd.to_timedelta(30, unit="s")), described),
            "duration is a duration; needed: ms",
        ),
        (
            lambda used, described: (used, described.assign(submission_time=pd.Timestamp("2024-01-01"))),
            "submission_time is a date; needed: ms",
        ),
        (lambda used, described: (used.assign(cpu_usage=True), described), "cpu_usage is true or false; needed: MHz"),
        (lambda used, described: (used[1:], described), "fragments of job 1 do not add up to its duration"),
        (lambda used, described: (pd.concat([used, used]), described), "fragments of job 1 do not add up"),
        (lambda used, described: (used, described[:1]), "a job is missing"),
        (lambda used, described: (used, pd.concat([described, described])), "has a duplicate job"),
        (lambda used, described: (used, described.assign(cpu_capacity=0.0)), "cpu_capacity is not a number"),
        (lambda used, described: (used.drop(columns="id"), described), "id"),
    ],
)
def test_tables_that_are_none_of_jobs_are_one_line(jobs, change, message):
    with pytest.raises(InputError, match=message) as caught:
        read_job_use(*jobs(change), 300.0)
    assert "\n" not in str(caught.value)


def test_where_no_job_runs_so_long_one_line_says_so(jobs):
    with pytest.raises(InputError, match="no job runs for 1 hours"):
        read_job_use(*jobs(), 3600.0)


def test_the_jobs_of_the_project_are_those_of_a_week():
    hours = pd.read_parquet(COMMITTED / "surf_tasks.parquet")["duration"] / 3_600_000
    assert len(hours) == 6295 and hours.quantile(0.5) == pytest.approx(0.025, abs=0.009)
    use = read_job_use(COMMITTED / "surf_fragments.parquet", COMMITTED / "surf_tasks.parquet", 172_800)
    assert use.shape == (2016, 74) and use.max(axis=None) <= 1.0


def domain(rows=6):
    return pd.DataFrame(
        {
            "time": 600_000_000 + STEP_US * np.arange(rows), "cell": "a", "pdu": "pdu6",
            "measured_power_util": 0.5 + 0.01 * np.arange(rows), "production_power_util": 0.4,
            "bad_measurement_data": ["true" if row == 2 else "false" for row in range(rows)],
            "bad_production_power_data": "false",
        }
    )  # fmt: skip


def written(folder, table, name="cella_pdu6.csv"):
    table.to_csv(folder / name, index=False)
    return folder / name


@pytest.mark.parametrize("name", ["cella_pdu6.csv", "cella_pdu6.csv.gz"])
def test_a_power_domain_is_a_share_every_five_minutes_and_nothing_where_it_is_flagged(tmp_path, name):
    shares = read_power_domain(written(tmp_path, domain(), name))
    assert shares.index.tolist() == [600, 900, 1200, 1500, 1800, 2100]
    assert shares.isna().tolist() == [False, False, True, False, False, False]
    assert shares[[600, 900, 2100]].tolist() == pytest.approx([0.5, 0.51, 0.55])


def shifted(row, by_us):
    table = domain()
    table.loc[row:, "time"] += by_us
    return table


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (domain().drop(index=3), "line 5: samples are missing before it"),
        (shifted(3, 100_000_000), "line 5: the clock jumps: times are not 300 s apart"),
        (shifted(3, -STEP_US), "line 5: duplicate time"),
        (shifted(3, -2 * STEP_US), "line 5: the clock jumps back"),
        (domain().assign(measured_power_util=-0.1), "line 2: measured_power_util is not a fraction"),
        (domain().assign(measured_power_util="much"), "line 2: measured_power_util is not a fraction"),
        (domain().assign(time="noon"), "line 2: time is not a number"),
        (domain().assign(pdu=list("abcdef")), "line 3: pdu differs from the first line"),
        (domain().assign(bad_measurement_data="maybe"), "line 2: bad_measurement_data is neither true nor false"),
        (domain().assign(bad_measurement_data="true"), "6 of 6 rows are flagged bad_measurement_data"),
        (domain().drop(columns="cell"), "expected time, cell, pdu"),
    ],
)
def test_a_file_that_is_no_power_domain_is_one_line(tmp_path, table, message):
    with pytest.raises(InputError, match=message) as caught:
        read_power_domain(written(tmp_path, table))
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_unpacked_is_one_line(tmp_path):
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"time,cell\n" * 50)[:-9])
    with pytest.raises(InputError, match="is not a gzip file of text"):
        read_power_domain(tmp_path / "cut.csv.gz")


def test_a_file_that_the_system_refuses_is_not_called_a_broken_one(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*nowhere.csv.gz: No such file or directory"):
        read_power_domain(tmp_path / "nowhere.csv.gz")
    with pytest.raises(InputError, match=r"cannot read .*: Is a directory"):
        read_power_domain(tmp_path)
    (tmp_path / "latin.csv.gz").write_bytes(gzip.compress("é".encode("latin-1")))
    with pytest.raises(InputError, match="is not UTF-8: byte 0"):
        read_power_domain(tmp_path / "latin.csv.gz")


def test_a_gzip_file_is_one_under_any_name_and_a_time_of_any_microsecond_is_on_the_grid(tmp_path):
    table = domain().assign(time=1_600_000_100_000_001 + STEP_US * np.arange(6), cell="NA")
    (tmp_path / "domain.csv").write_bytes(gzip.compress(table.to_csv(index=False).encode()))
    assert len(read_power_domain(tmp_path / "domain.csv")) == 6
