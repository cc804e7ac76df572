"""A single simulation from files: its output, its files, and the messages about files that cannot be served."""

import pandas as pd
import pytest

from jouleproof.serving.simulator.from_files import simulate_files
from tests.phase_split import REFERENCE, refused

HEADER = "request_id,arrival_timestamp,prompt_size,token_size\n"


def run(tmp_path, rows, compat=False, power=None):
    trace = tmp_path / "trace.csv"
    trace.write_text(HEADER + rows)
    out = tmp_path / "requests.parquet"
    text = simulate_files(REFERENCE / "clusters.json", "conv|splitwise_hh", trace, compat, out, power)
    return text, pd.read_parquet(out)


def test_latencies_and_energy_are_printed_and_every_request_has_a_row(tmp_path):
    power = tmp_path / "power.parquet"
    text, requests = run(tmp_path, "0,0.1,1000,5\n1,0.2,500,1\n", power=power)
    assert [line.split()[0] for line in text.splitlines()[1:4]] == ["TTFT", "TBT", "E2E"]
    assert "J/request" in text and "J/token" in text
    columns = ["request_id", "arrival_s", "ttft_s", "tbt_s", "e2e_s", "prompt_machine", "token_machine"]
    assert list(requests) == columns and len(requests) == 2
    assert {"machine", "t", "W", "phase"} <= set(pd.read_parquet(power))


@pytest.mark.parametrize(
    ("rows", "compat", "complaint"),
    [
        ("0,0.1,10,5\n1,0.2,100000,5\n", False, "row 3: prompt_size, token_size: request of 100000 + 5 tokens fits no"),
        ("0,0.1,10,5\n1,0.2,10,1\n", True, "row 3: prompt_size, token_size: a single output token"),
        ("0,0.1,10,5\n1,0.2,x,1\n", False, "row 3: prompt_size must be a number, got 'x'"),
    ],
)
def test_a_request_that_cannot_be_served_is_named_by_its_row(tmp_path, rows, compat, complaint):
    with refused(complaint, f"{tmp_path / 'trace.csv'}: "):
        run(tmp_path, rows, compat)
    assert not (tmp_path / "requests.parquet").exists()
