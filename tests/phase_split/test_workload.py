"""Requests from files and from sampling."""

import numpy as np
import pandas as pd
import pytest

from jouleproof.errors import UserError
from jouleproof.serving.simulator.workload import by_day, poisson_requests, read_requests, replayed, superposed

CELLS = "a row has more or fewer cells than the header, or a column appears twice"
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
        ("0,2,0,0.1,1,10,5\n1,2,0,,1,10,5\n", "row 3: arrival_timestamp must be a number, got ''"),
        (
            "0,2,0,0.1,1,10,5\n1,2,0,0.05,1,10,5\n",
            "row 3: arrival_timestamp must not be before the row above, got '0.05'",
        ),
        ("0,2,0,-0.1,1,10,5\n", "row 2: arrival_timestamp must be at least 0, got '-0.1'"),
        ("0,2,0,0.1,1,0,5\n", "row 2: prompt_size must be a whole number of at least 1, got '0'"),
        ("0,2,0,0.1,1,10,5.5\n", "row 2: token_size must be a whole number of at least 1, got '5.5'"),
        ("0,2,0,0.1,1,nan,5\n", "row 2: prompt_size must be a number, got 'nan'"),
        ("0,2,0,0.1,1,1e12,5\n", "row 2: prompt_size must be below 2**31, got '1e12'"),
        ("", "contains no requests"),
        ("0,2,0,0.1,1,10,5,7\n", CELLS),
        ("0,2,0,0.1,1,10\n", CELLS),
    ],
)
def test_a_wrong_file_is_one_line_with_row_and_column(tmp_path, rows, complaint):
    path = tmp_path / "trace.csv"
    path.write_text(HEADER + rows)
    with pytest.raises(UserError) as caught:
        read_requests(path)
    assert str(caught.value) == f"{path}: {complaint}"


def test_a_file_that_is_not_there_or_lacks_a_column_is_named(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        read_requests(tmp_path / "none.csv")
    (tmp_path / "short.csv").write_text("arrival_timestamp,prompt_size\n0.1,3\n")
    with pytest.raises(UserError, match="missing column token_size"):
        read_requests(tmp_path / "short.csv")


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
