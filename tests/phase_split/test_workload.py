"""Requests from files and from sampling."""

import bz2
import gzip
import lzma
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from jouleproof.errors import UserError
from jouleproof.serving.simulator.workload import by_day, poisson_requests, read_requests, replayed, superposed

HEADER = "request_id,request_type,application_id,arrival_timestamp,batch_size,prompt_size,token_size\n"
TRACE = pd.DataFrame(
    {
        "arrival_s": np.linspace(0, 100, 50),
        "prompt_tokens": np.arange(1, 51),
        "output_tokens": 1000 + np.arange(1, 51),
    }
)


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ("0,2,0,0.1,1,10,5\n1,2,0,,1,10,5\n", ": line 3: arrival_timestamp must be a number (seconds), got ''"),
        (
            "0,2,0,0.1,1,10,5\n1,2,0,0.05,1,10,5\n",
            ": line 3: arrival_timestamp must not be before the row above, got '0.05'",
        ),
        ("0,2,0,-0.1,1,10,5\n", ": line 2: arrival_timestamp must be at least 0, got '-0.1'"),
        ("0,2,0,0.1,1,0,5\n", ": line 2: prompt_size must be a whole number of at least 1, got '0'"),
        ("0,2,0,0.1,1,10,5.5\n", ": line 2: token_size must be a whole number of at least 1, got '5.5'"),
        ("0,2,0,0.1,1,nan,5\n", ": line 2: prompt_size must be a number (tokens), got 'nan'"),
        ("0,2,0,0.1,1,1e12,5\n", ": line 2: prompt_size must be below 2**31, got '1e12'"),
        ("0,2,0,0.1,1,10,5\n\n\n1,2,0,0.2,1,10,x\n", ": line 5: token_size must be a number (tokens), got 'x'"),
        ('"0\n",2,0,0.1,1,10,5\n1,2,0,0.2,1,x,5\n', ": line 4: prompt_size must be a number (tokens), got 'x'"),
        ("0,2,0,1700000000500,1,10,5\n", ": line 2: arrival_timestamp must be in seconds, got '1700000000500'"),
        ("0,2,0,0,1,10,5\n1,2,0,3600e6,1,10,5\n", ": line 3: arrival_timestamp must be in seconds, got '3600e6'"),
        (
            "0,2,0,2024-05-10 00:00:00,1,10,5\n",
            ": line 2: arrival_timestamp must be a number (seconds), got '2024-05-10 00:00:00'",
        ),
        ("", ": contains no requests"),
        ("0,2,0,0.1,1,10,5,7\n", ", line 2: 8 cells; the header has 7"),
        ("0,2,0,0.1,1,10\n", ", line 2: 6 cells; the header has 7"),
    ],
)
def test_a_wrong_file_is_one_line_with_row_and_column(tmp_path, rows, complaint):
    path = tmp_path / "trace.csv"
    path.write_text(HEADER + rows)
    with pytest.raises(UserError) as caught:
        read_requests(path)
    assert str(caught.value) == f"{path}{complaint}"


def test_a_file_that_is_not_there_or_lacks_a_column_is_named(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        read_requests(tmp_path / "none.csv")
    (tmp_path / "short.csv").write_text("arrival_timestamp,prompt_size\n0.1,3\n")
    with pytest.raises(UserError, match="missing column token_size"):
        read_requests(tmp_path / "short.csv")


ROWS = [(0.5, 400, 20), (0.9, 1200, 60), (0.9, 250, 5), (3600.25, 90, 33)]


def written(path, origin=Decimal(0)):
    rows = [
        f"{number},{Decimal(str(at)) + origin},{prompt},{output}" for number, (at, prompt, output) in enumerate(ROWS)
    ]
    path.write_text("\n".join(["request_id,arrival_timestamp,prompt_size,token_size", *rows, ""]))
    return path


@pytest.mark.parametrize("origin", [0, 1, 300_000, 1_700_000_000, 45_678_912_345])
def test_arrivals_count_from_the_second_of_the_first(tmp_path, origin):
    requests = read_requests(written(tmp_path / "trace.csv", Decimal(origin)))
    assert requests.arrival_s.tolist() == [0.5, 0.9, 0.9, 3600.25]
    assert requests.prompt.tolist() == [400, 1200, 250, 90] and requests.output.tolist() == [20, 60, 5, 33]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_packed_file_is_read_as_what_it_holds(tmp_path, pack):
    path = written(tmp_path / "trace.csv")
    path.write_bytes(pack(path.read_bytes()))
    assert len(read_requests(path)) == len(ROWS)


def test_parquet_is_read_too_and_its_records_are_counted_from_one(tmp_path):
    table = pd.DataFrame(ROWS, columns=["arrival_timestamp", "prompt_size", "token_size"])
    table.to_parquet(tmp_path / "trace")
    assert read_requests(tmp_path / "trace").prompt.tolist() == [400, 1200, 250, 90]
    for change, complaint in (
        ({"prompt_size": [1, 0, 1, 1]}, "record 2: prompt_size must be a whole number of at least 1, got '0'"),
        ({"arrival_timestamp": pd.to_datetime(table["arrival_timestamp"], unit="s")}, "arrival_timestamp is a date"),
    ):
        table.assign(**change).to_parquet(tmp_path / "trace")
        with pytest.raises(UserError, match=complaint):
            read_requests(tmp_path / "trace")


def test_more_requests_than_fit_into_memory_are_refused_before_they_are_drawn():
    for draw in (poisson_requests, superposed):
        with pytest.raises(UserError, match="1e\\+06 requests/s for 1e\\+06 s are more than 50,000,000 requests"):
            draw(TRACE, 1e6, 1e6, 0)


def test_joint_draws_keep_rows_together_and_others_do_not():
    joint, apart = (poisson_requests(TRACE, 100.0, 5.0, 0, joint=joint) for joint in (True, False))
    assert (joint.output == joint.prompt + 1000).all()
    assert not (apart.output == apart.prompt + 1000).all()
    assert joint.arrival_s.tolist() == apart.arrival_s.tolist()


def test_a_rate_scales_the_same_arrivals():
    slow, fast = poisson_requests(TRACE, 10.0, 20.0, 3), poisson_requests(TRACE, 20.0, 20.0, 3)
    assert fast.arrival_s[: len(slow)] * 2 == pytest.approx(slow.arrival_s, rel=1e-12)
    assert fast.prompt[: len(slow)].tolist() != [] and (np.diff(fast.arrival_s) >= 0).all()
    assert len(fast) / 20 == pytest.approx(20, rel=0.2)


def test_a_replay_keeps_the_order_and_has_the_rate():
    requests = replayed(TRACE, 5.0)
    assert requests.prompt.tolist() == TRACE["prompt_tokens"].tolist()
    assert len(requests) / requests.arrival_s[-1] == pytest.approx(5.0, rel=1e-3)


def test_superposed_copies_have_the_rate_and_come_in_order():
    requests = superposed(TRACE, 40.0, 250.0, 1)
    assert len(requests) / 250 == pytest.approx(40.0, rel=0.05)
    assert (np.diff(requests.arrival_s) >= 0).all() and requests.arrival_s[-1] < 250.0 + 1e-3


def test_superposed_copies_keep_the_mix_of_lengths_of_their_time():
    long_last = pd.DataFrame(
        {
            "arrival_s": np.arange(1000.0),
            "prompt_tokens": np.where(np.arange(1000) < 500, 10, 4000),
            "output_tokens": np.full(1000, 5),
        }
    )
    moved = superposed(long_last, 20.0, 999.0, 0)
    early, late = (
        moved.prompt[moved.arrival_s < 400],
        moved.prompt[(moved.arrival_s > 600) & (moved.arrival_s < 900)],
    )
    assert (early == 10).mean() > 0.9 and (
        late == 4000
    ).all()  # arrivals shifted before the start wrap around to the end


@pytest.mark.parametrize(("hours", "batch"), [(1, 1000), (3, 700), (26, 5000)])
def test_days_come_in_whole_batches_and_follow_the_curve(hours, batch):
    trace = pd.concat([TRACE.assign(arrival_s=TRACE["arrival_s"] + 101 * number) for number in range(30)])
    batches = list(by_day(trace, 2.0, 0.25, hours, 0, batch))
    arrival = np.concatenate([requests.arrival_s for requests in batches])
    assert all(len(requests) == batch for requests in batches[:-1]) and (np.diff(arrival) >= 0).all()
    counts = np.bincount((arrival // 3600).astype(int), minlength=hours)
    levels = 0.25 + 0.75 * 0.5 * (1 - np.cos(2 * np.pi * np.arange(hours) / 24))
    assert counts / 3600 == pytest.approx(2.0 * levels, rel=0.25)
