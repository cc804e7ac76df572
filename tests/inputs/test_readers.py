import json

import numpy as np
import pandas as pd
import pytest

from jouleproof.inputs import InputError, read_energy, read_gsm8k, read_profile, read_trace
from jouleproof.inputs.resolve import COMMITTED
from jouleproof.inputs.stand_in import mlenergy


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "file"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def trace(tmp_path):
    """Write a trace of two requests. change: of its table."""

    def write(change=lambda table: table):
        times = pd.to_datetime(["2023-11-16 18:17:03.97996", "2023-11-16 18:17:05.03196"]).as_unit("ns")
        table = pd.DataFrame({"TIMESTAMP": times, "ContextTokens": [4808, 3180], "GeneratedTokens": [10, 8]})
        change(table).to_parquet(tmp_path / "trace.parquet", index=False)
        return tmp_path / "trace.parquet"

    return write


@pytest.fixture
def profile(tmp_path):
    """Write a profile of one run. change: of its table."""

    def write(change=lambda table: table):
        run = {"model": "llama2-70b", "hardware": "a100-80gb", "prompt_size": 512, "batch_size": 1, "token_size": 128}
        run |= {"peak_power": 1.5, "average_power": 0.0, "prompt_time": 196.25, "token_time": 54.875}
        run |= {"e2e_time": 7168.5, "tensor_parallel": 2}
        change(pd.DataFrame([run])).to_parquet(tmp_path / "profile.parquet", index=False)
        return tmp_path / "profile.parquet"

    return write


def one_line(read, path):
    with pytest.raises(InputError) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def problem(question="What is 1 + 1?", answer="1 + 1 = <<1+1=2>>2\n#### 2"):
    return json.dumps({"question": question, "answer": answer})


@pytest.mark.parametrize(("written", "final"), [("2", 2), ("-10", -10), ("1,450,000", 1_450_000), ("70000", 70_000)])
def test_the_final_number_of_a_problem_is_read(file, written, final):
    (read,) = read_gsm8k(file(problem(answer=f"So it is.\n#### {written}") + "\n"))
    assert (read.question, read.final) == ("What is 1 + 1?", final)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "not JSON"),
        ("[]", "not an object with exactly question and answer"),
        ('{"question": "x"}', "not an object with exactly question and answer"),
        ("", "not JSON"),
        (problem(question=" "), "texts that are not empty"),
        (problem(answer="2"), "does not end in a line"),
        (problem(answer="x\n#### 2 eggs"), "does not end in a line"),
        (problem(answer="x\n#### 1,4"), "does not end in a line"),
        (problem(answer="x\n#### " + "7" * 5000), "more than 30 characters"),
        ("[" * 5000, "not JSON"),
    ],
)
def test_a_malformed_problem_is_named_by_its_line(file, line, complaint):
    message = one_line(read_gsm8k, file(f"{problem()}\n{line}\n"))
    assert "line 2: " in message
    assert complaint in message


def test_a_file_without_problems_is_refused(file):
    assert "holds no problems" in one_line(read_gsm8k, file(""))


def test_a_separator_inside_a_text_does_not_end_its_line(file):
    (read,) = read_gsm8k(file(json.dumps({"question": "a\u2028b", "answer": "x\n#### 1"}, ensure_ascii=False) + "\n"))
    assert read.question == "a\u2028b"


def test_a_trace_is_read_in_seconds_from_its_first_request(trace):
    table = read_trace(trace())
    assert list(table.columns) == ["arrival_s", "prompt_tokens", "output_tokens"]
    assert table.arrival_s.tolist() == pytest.approx([0, 1.052])
    assert table.prompt_tokens.tolist() == [4808, 3180]
    assert table.output_tokens.dtype == np.int64


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda table: table[::-1], "arrivals must be in order, and token counts at least 1"),
        (lambda table: table.assign(ContextTokens=0), "arrivals must be in order, and token counts at least 1"),
        (lambda table: table.assign(TIMESTAMP=pd.NaT), "value in every row of TIMESTAMP, ContextTokens"),
        (lambda table: table[:0], "must have a value in every row"),
        (lambda table: table.drop(columns="ContextTokens"), "cannot be read: No match for "),
    ],
)
def test_what_is_no_trace_is_one_line(trace, change, complaint):
    assert complaint in one_line(read_trace, trace(change))


def test_a_missing_file_is_one_line(tmp_path):
    assert "No such file" in one_line(read_trace, tmp_path / "nothing.parquet")
    assert "No such file" in one_line(read_gsm8k, tmp_path / "nothing.jsonl")


def test_a_profile_is_read_in_seconds_and_power_that_was_not_recorded_is_no_zero(profile):
    run = read_profile(profile()).iloc[0]
    assert (run.model, run.hardware, run.tensor_parallel) == ("llama2-70b", "a100-80gb", 2)
    assert (run.prompt_time_s, run.token_time_s, run.end_to_end_time_s) == (0.19625, 0.054875, 7.1685)
    assert run.peak_power_tdp == 1.5
    assert np.isnan(run.average_power_tdp)


def test_a_profile_with_a_negative_time_is_one_line(profile):
    assert "a negative number" in one_line(read_profile, profile(lambda table: table.assign(prompt_time=-1.0)))


def test_the_profile_of_the_project_is_that_of_the_paper():
    profile = read_profile(COMMITTED / "splitwise_profile.parquet")
    groups = profile.groupby(["model", "hardware", "tensor_parallel"]).size()
    assert len(profile) == 1260 and len(groups) == 12 and set(groups) == {105}
    cell = profile[profile.model.eq("bloom-176b") & profile.hardware.eq("a100-80gb") & profile.prompt_size.eq(512)]
    medians = cell[cell.batch_size == 64].median(numeric_only=True)
    assert medians.prompt_time_s == pytest.approx(11.25182795501314, rel=1e-9)
    assert medians.token_time_s == pytest.approx(0.09658297453273645, rel=1e-9)
    shape = ["model", "tensor_parallel", "prompt_size", "batch_size", "token_size"]
    by_hardware = {name: runs.groupby(shape).median(numeric_only=True) for name, runs in profile.groupby("hardware")}
    capped = by_hardware["h100-80gb-pcap"] / by_hardware["h100-80gb"]
    assert capped.prompt_time_s.median() == pytest.approx(1.3, rel=1e-6)


@pytest.mark.parametrize(("id", "requests"), [("azure_code", 8819), ("azure_conv", 19366)])
def test_the_traces_of_the_project_cover_an_hour(id, requests):
    trace = read_trace(COMMITTED / f"{id}.parquet")
    assert len(trace) == requests and 3300 < trace.arrival_s.max() < 3700


@pytest.mark.parametrize(("between", "line"), [(b"", 4), (b"\n\n", 6), (b"\r\n \r\n", 6)])
def test_a_wrong_measurement_is_named_by_its_line_of_the_file(file, between, line):
    header, first, second, third, *_ = mlenergy.measurements(0).split(b"\n")
    task, _, rest = first.split(b",", 2)
    over_two_lines = task + b',"a\nmodel",' + rest
    rows = [header, over_two_lines, between + second, third]
    assert len(read_energy(file(b"\n".join(rows)))) == 3
    rows[2] = between + second[second.index(b",") :]
    assert f"line {line}: task is empty" in one_line(read_energy, file(b"\n".join(rows)))
