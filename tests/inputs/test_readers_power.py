"""Recorded power and CPU use: exact values, and an error of one line on any other content."""

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jouleproof.inputs import InputError, read_cpu_use, read_power_cdf
from jouleproof.inputs.resolve import COMMITTED

HEADER = (
    *("cdf_percent", "gpu_power_w_kalos", "gpu_power_w_seren"),
    *("gpu_server_power_w_seren", "cpu_server_power_w_seren"),
)


def written(path, table):
    table.to_parquet(path)
    return path


@pytest.fixture
def use(tmp_path):
    def make(change=lambda used, described: (used, described)):
        used = pd.DataFrame(
            {"id": ["a", "a", "b"], "duration": [300_000, 900_000, 300_000], "cpu_usage": [10.0, 50.0, 400.0]}
        )
        described = pd.DataFrame({"id": ["a", "b"], "cpu_capacity": [100.0, 200.0], "cpu_count": [1, 1]})
        used, described = change(used, described)
        return written(tmp_path / "fragments", used), written(tmp_path / "tasks", described)

    return make


def test_use_is_a_share_of_what_a_machine_has_on_a_grid_of_five_minutes(use):
    shares = read_cpu_use(*use())
    assert shares["a"].tolist() == [0.1, 0.5, 0.5, 0.5]
    assert shares["b"].tolist()[0] == 1.0 and shares["b"].isna().sum() == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda used, described: (used.assign(cpu_usage=-1.0), described), "cpu_usage is not a number"),
        (lambda used, described: (used.assign(duration=0), described), "duration is not a number"),
        (lambda used, described: (used.assign(duration=300), described), "no duration is above 300 ms; needed: ms"),
        (lambda used, described: (used.assign(cpu_usage=used["cpu_usage"] * 1e3), described), "needed: both in MHz"),
        (lambda used, described: (used, described.assign(cpu_capacity=pd.Timedelta(1))), "cpu_capacity is a duration"),
        (lambda used, described: (used.assign(duration=pd.Timestamp("2024-01-01")), described), "duration is a date"),
        (lambda used, described: (used.assign(cpu_usage=float("inf")), described), "cpu_usage is not a number"),
        (lambda used, described: (used, described[:1]), "a machine has no capacity or is missing"),
        (lambda used, described: (used, pd.concat([described, described])), "has a duplicate machine"),
        (lambda used, described: (used.drop(columns="id"), described), "id"),
        (lambda used, described: (used[:0], described), "must have a value in every row of"),
    ],
)
def test_a_table_that_is_none_of_cpu_use_is_one_line(use, change, message):
    with pytest.raises(InputError, match=message) as caught:
        read_cpu_use(*use(change))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_parquet_is_one_line(tmp_path, use):
    _, tasks = use()
    (tmp_path / "text").write_text("no parquet")
    with pytest.raises(InputError, match="cannot be read"):
        read_cpu_use(tmp_path / "text", tasks)


def test_text_in_parquet_that_is_not_utf_8_is_one_line(tmp_path, use):
    _, tasks = use()
    broken = pa.array([b"a", b"\xe2", b"b"], pa.binary()).view(pa.string())
    table = {"id": broken, "duration": [300_000] * 3, "cpu_usage": [1.0] * 3}
    pq.write_table(pa.table(table), tmp_path / "broken")
    with pytest.raises(InputError, match="cannot be read") as caught:
        read_cpu_use(tmp_path / "broken", tasks)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"cdf_percent": [0.0, 50.0, 20.0]},
        {"gpu_power_w_kalos": [5.0, 2.0, 3.0]},
        {"cdf_percent": [0.0, 50.0, 120.0]},
        {"gpu_power_w_seren": [-1.0, 2.0, 3.0]},
    ],
)
def test_a_distribution_that_decreases_or_leaves_its_range_is_one_line(tmp_path, change):
    columns = {name: [0.0, 1.0, 2.0] for name in HEADER}
    path = written(tmp_path / "cdf", pd.DataFrame(columns))
    assert read_power_cdf(path).to_dict("list") == columns
    with pytest.raises(InputError, match="a distribution decreases, is negative or goes beyond 100 %"):
        read_power_cdf(written(tmp_path / "cdf", pd.DataFrame(columns | change)))


def test_a_distribution_over_shares_is_not_one_over_per_cent(tmp_path):
    columns = {name: [0.0, 0.5, 1.0] for name in HEADER}
    with pytest.raises(InputError, match="cdf_percent ends at 1; needed: per cent, up to 100"):
        read_power_cdf(written(tmp_path / "cdf", pd.DataFrame(columns)))


def test_the_tables_of_the_project_hold_the_published_quantiles():
    servers = read_power_cdf(COMMITTED / "acme_power.parquet").set_index("cdf_percent")["gpu_server_power_w_seren"]
    assert servers.iloc[-1] == 6554.0 and servers[servers.index >= 50].iloc[0] == pytest.approx(2520.0, rel=0.002)
    use = read_cpu_use(COMMITTED / "bitbrains_fragments.parquet", COMMITTED / "bitbrains_tasks.parquet")
    assert use.shape == (30 * 288, 50) and use.max(axis=None) <= 1.0 and (use.max() > 0.0).sum() >= 38
