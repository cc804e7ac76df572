"""A single simulation from files: its output, its files, and the messages about files that cannot be served."""

import json

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
        (
            "0,0.1,10,5\n1,0.2,100000,5\n",
            False,
            "line 3: prompt_size, token_size: request of 100000 + 5 tokens fits no",
        ),
        ("0,0.1,10,5\n1,0.2,10,1\n", True, "line 3: prompt_size, token_size: a single output token"),
        ("0,0.1,10,5\n\n \n1,0.2,100000,5\n", False, "line 5: prompt_size, token_size: request of 100000 + 5 tokens"),
        ("0,0.1,10,5\n1,0.2,x,1\n", False, "line 3: prompt_size must be a number (tokens), got 'x'"),
    ],
)
def test_a_request_that_cannot_be_served_is_named_by_its_line(tmp_path, rows, compat, complaint):
    with refused(complaint, f"{tmp_path / 'trace.csv'}: "):
        run(tmp_path, rows, compat)
    assert not (tmp_path / "requests.parquet").exists()


def joules(text):
    return text.partition("included: ")[2].partition(" J/request")[0]


def test_energy_does_not_depend_on_the_origin_of_the_clock(tmp_path):
    rows = [(0.5, 400, 20), (0.9, 1200, 60), (1.4, 250, 5), (2.0, 90, 33), (2.2, 3000, 120)]
    designs = tmp_path / "designs.json"
    pools = {"prompt_sku": "dgx-h100", "prompt_machines": 2, "token_sku": "dgx-h100", "token_machines": 1}
    designs.write_text(json.dumps({"mine": {"scheduler": "mixed_pool", **pools}}))
    for origin in (0, 300_000, 1_700_000_000):
        trace, out, power = (tmp_path / name for name in ("trace.csv", "requests.parquet", "power.parquet"))
        trace.write_text(HEADER + "".join(f"{n},{origin + at},{p},{o}\n" for n, (at, p, o) in enumerate(rows)))
        assert joules(simulate_files(designs, "mine", trace, False, out, power)) == "11890"
        assert pd.read_parquet(power)["t"].max() == 6.0


def test_requests_beyond_the_profile_are_told(tmp_path):
    text, _ = run(tmp_path, "0,0.5,80000,20\n1,30.0,8192,128\n2,90.0,8192,129\n")
    assert text.splitlines()[-1] == (
        "2 of 3 requests go beyond the profile, which ends at 8,192 prompt tokens and 8,320 tokens of context "
        "(most: 80,000 and 80,020): times are extrapolated"
    )
    assert "extrapolated" not in run(tmp_path, "0,0.5,8192,128\n")[0]


def test_more_decodes_at_once_than_in_the_profile_are_told(tmp_path):
    design = {"mine": {"scheduler": "token_jsq", "machines": {"dgx-h100": 1}}}
    (tmp_path / "designs.json").write_text(json.dumps(design))
    for count, notes in ((64, []), (65, ["up to 65 decodes ran at once on a machine; the profile ends at 64"])):
        trace = tmp_path / "trace.csv"
        trace.write_text(HEADER + "".join(f"{n},{n / 1000},128,999\n" for n in range(count)))
        text = simulate_files(tmp_path / "designs.json", "mine", trace, False, tmp_path / "out", None)
        assert [line.partition(": times")[0] for line in text.splitlines()[5:]] == notes


def test_arrivals_that_leave_machines_idle_raise_the_question_of_their_unit(tmp_path):
    question = "is arrival_timestamp in seconds?"
    assert question in run(tmp_path, "0,500,400,20\n1,900000,1200,60\n")[0]
    assert question not in run(tmp_path, "0,500,400,20\n1,510,1200,60\n")[0]


def test_power_of_too_many_samples_is_refused_before_memory_is_taken(tmp_path):
    power = tmp_path / "power.parquet"
    complaint = "power every 2 s of 40 machines for 5,303,600 s makes 106,072,000 samples (19.8 GiB)"
    with refused(complaint, f"{tmp_path / 'trace.csv'}: "):
        run(tmp_path, "0,0.1,10,5\n1,5300000,10,5\n", power=power)
    assert not power.exists() and not (tmp_path / "requests.parquet").exists()


def test_power_is_kept_up_to_the_last_event_in_steps_of_any_width(tmp_path):
    trace, power = tmp_path / "trace.csv", tmp_path / "power.parquet"
    trace.write_text(HEADER + "".join(f"{n},0.0,4000,999\n" for n in range(1500)))
    (tmp_path / "designs.json").write_text('{"mine": {"scheduler": "token_jsq", "machines": {"dgx-a100": 1}}}')
    simulate_files(tmp_path / "designs.json", "mine", trace, False, tmp_path / "out", power, 0.1)
    requests, table = pd.read_parquet(tmp_path / "out"), pd.read_parquet(power)
    assert requests["e2e_s"].max() > 3600
    assert table["t"].max() == pytest.approx(requests["e2e_s"].max(), abs=0.1)
    assert (table["t"] == (table["t"] * 10).round() / 10).all()
