"""Texts as padded rectangles, and batches of texts of similar length."""

from hypothesis import given, settings
from hypothesis import strategies as st

from jouleproof.models.text import batches, in_groups, padded

REPEATABLE = settings(derandomize=True, deadline=None, database=None)
rows = st.lists(st.integers(1, 40).map(lambda n: [0] * n), max_size=20)


def test_shorter_rows_are_filled_with_zeros_on_the_right():
    tokens, lengths = padded([[5, 6, 7], [8]])
    assert (tokens.tolist(), lengths.tolist()) == ([[5, 6, 7], [8, 0, 0]], [3, 1])


@REPEATABLE
@given(rows, st.integers(1, 100))
def test_results_of_batches_come_in_the_order_of_the_rows_each_of_which_is_in_one_batch(rows, max_tokens):
    assert in_groups(batches(rows, max_tokens), lambda group: group) == list(range(len(rows)))
    assert sum(map(len, batches(rows, max_tokens))) == len(rows)


@REPEATABLE
@given(rows, st.integers(1, 100))
def test_a_batch_with_its_padding_is_not_too_large_unless_it_is_one_row(rows, max_tokens):
    for batch in batches(rows, max_tokens):
        assert len(batch) * max(len(rows[index]) for index in batch) <= max_tokens or len(batch) == 1


@REPEATABLE
@given(rows, st.integers(1, 100))
def test_rows_come_by_length(rows, max_tokens):
    lengths = [len(rows[index]) for batch in batches(rows, max_tokens) for index in batch]
    assert lengths == sorted(lengths)


def test_no_rows_make_no_batches():
    assert batches([], 10) == []


def test_rows_that_must_not_be_padded_share_a_batch_only_with_rows_of_their_length():
    rows = [[0] * length for length in (3, 2, 3, 5, 2, 3)]
    assert batches(rows, 100, pad=False) == [[1, 4], [0, 2, 5], [3]]
    assert batches(rows, 6, pad=False) == [[1, 4], [0, 2], [5], [3]]
