import json

import numpy as np
import pytest

from jouleproof.inputs import InputError, read_gsm8k, read_profile, read_trace
from jouleproof.inputs.stand_in import splitwise

TRACE = "TIMESTAMP,ContextTokens,GeneratedTokens\n"


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "file"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

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


def test_a_trace_is_read_in_seconds_from_its_first_request(file):
    rows = "2023-11-16 18:17:03.9799600,4808,10\r\n2023-11-16 18:17:05.0319600,3180,8"
    trace = read_trace(file(TRACE + rows))
    assert list(trace.columns) == ["arrival_s", "prompt_tokens", "output_tokens"]
    assert trace.arrival_s.tolist() == pytest.approx([0, 1.052])
    assert trace.prompt_tokens.tolist() == [4808, 3180]
    assert trace.output_tokens.dtype == np.int64


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("yesterday,1,1", "line 3: TIMESTAMP is not a time"),
        ("2023-11-16 18:17:02.0,1,1", "line 3: TIMESTAMP is before the line above"),
        ("2023-11-16 18:17:04.0,0,1", "line 3: ContextTokens is not a whole number of at least 1"),
        ("2023-11-16 18:17:04.0,1.5,1", "line 3: ContextTokens is not a whole number of at least 1"),
        ("2023-11-16 18:17:04.0,1,", "line 3: GeneratedTokens is not a whole number of at least 1"),
        ("2023-11-16 18:17:04.0,1,inf", "line 3: GeneratedTokens is not a whole number of at least 1"),
        ("2023-11-16 18:17:04.0,1", "line 3: 2 cells; expected 3"),
        ("2023-11-16 18:17:04.0,1,1,1", "is not a CSV table"),
        ("", "line 3: 0 cells; expected 3"),
    ],
)
def test_a_malformed_request_is_named_by_its_line(file, row, complaint):
    content = f"{TRACE}2023-11-16 18:17:03.9799600,4808,10\n{row}\n2023-11-16 18:17:09.0,1,1\n"
    assert complaint in one_line(read_trace, file(content))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "is not a CSV table"),
        ("a,b\n1,2\n", "has the columns a, b; expected TIMESTAMP, ContextTokens, GeneratedTokens"),
        (TRACE, "has no rows"),
        (b"\xff\xfe", "is not UTF-8"),
    ],
)
def test_what_is_no_trace_is_refused(file, content, complaint):
    assert complaint in one_line(read_trace, file(content))


def test_a_missing_file_is_one_line(tmp_path):
    assert "No such file" in one_line(read_trace, tmp_path / "nothing.csv")


def test_a_profile_is_read_in_seconds_and_power_that_was_not_recorded_is_no_zero(file):
    row = "llama2-70b,a100-80gb,512,1,128,1.5,0,196.25,54.875,7168.5,2"
    profile = read_profile(file(f"{splitwise.HEADER}\n{row}\n")).iloc[0]
    assert (profile.model, profile.hardware, profile.tensor_parallel) == ("llama2-70b", "a100-80gb", 2)
    assert (profile.prompt_time_s, profile.token_time_s, profile.end_to_end_time_s) == (0.19625, 0.054875, 7.1685)
    assert profile.peak_power_tdp == 1.5
    assert np.isnan(profile.average_power_tdp)


def test_a_profile_with_a_negative_time_is_named_by_its_line(file):
    row = "llama2-70b,a100-80gb,512,1,128,1.5,0,-196.25,54.875,7168.5,2"
    assert "line 2: prompt_time is not a number of at least 0" in one_line(
        read_profile, file(f"{splitwise.HEADER}\n{row}\n")
    )


@pytest.mark.parametrize(
    "number", ["1e30", "9223372036854775808", "18446744073709551615", "1" * 25, "9007199254740994"]
)
def test_a_whole_number_that_an_integer_or_a_float_cannot_hold_is_refused(file, number):
    complaint = one_line(read_trace, file(f"{TRACE}2023-11-16 18:17:03.9799600,{number},5\n"))
    assert "line 2: ContextTokens is not a whole number of at least 1 and at most 2**53" in complaint


def test_columns_by_the_hundred_make_no_long_line(file):
    assert len(one_line(read_trace, file(",".join(f"column{n}" for n in range(500)) + "\n1\n"))) < 600


def test_a_line_with_fewer_cells_is_refused_and_not_filled_up(file):
    complaint = one_line(read_trace, file(f"{TRACE}2023-11-16 18:17:03.9799600,3,5\n2023-11-16 18:17:03.9799600,3\n"))
    assert "line 3" in complaint
