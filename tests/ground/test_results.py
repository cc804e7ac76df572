"""The one table schema: accepted and rejected tables, and written tables that read back unchanged."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jouleproof.errors import UserError
from jouleproof.evidence import tables
from jouleproof.evidence.tables import COLUMNS, TIERS, check, tidy

EXACT = settings(derandomize=True, deadline=None, max_examples=20)
ABOUT = {"metric": "m", "unit": "u", "tier": "measured"}
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.fixture
def table():
    return tidy([{"format": "a", "value": 1.5}, {"format": "b", "value": 2}], **ABOUT)


def test_the_factors_come_first_and_the_schema_after_them(table):
    assert list(table.columns) == ["format", *COLUMNS]


def test_repeat_and_seed_are_0_where_a_row_leaves_them_out(table):
    assert table[["repeat", "seed"]].to_numpy().tolist() == [[0, 0], [0, 0]]


def test_a_row_has_the_last_word_over_the_constants():
    assert list(tidy([{"value": 1, "unit": "dB"}], **ABOUT)["unit"]) == ["dB"]


@pytest.mark.parametrize("name", ["metric", "unit", "tier"])
def test_a_table_without_a_column_of_the_schema_is_refused(name):
    incomplete = {key: value for key, value in ABOUT.items() if key != name}
    with pytest.raises(ValueError, match=f"table lacks {name}"):
        tidy([{"value": 1.0}], **incomplete)


@pytest.mark.parametrize("name", COLUMNS)
def test_check_names_the_column_that_is_missing(table, name):
    with pytest.raises(ValueError, match=f"table lacks {name}"):
        check(table.drop(columns=name))


def test_a_table_without_rows_is_refused(table):
    with pytest.raises(ValueError, match="no rows"):
        check(table.iloc[:0])


@pytest.mark.parametrize(
    ("column", "value", "complaint"),
    [
        ("value", float("nan"), "empty cells in value"),
        ("format", None, "empty cells in format"),
        ("value", float("inf"), "not finite"),
        ("value", float("-inf"), "not finite"),
        ("tier", "guessed", r"unknown tiers \['guessed'\]; known: measured, simulated, cited"),
    ],
)
def test_a_cell_outside_the_schema_is_refused(table, column, value, complaint):
    table.loc[1, column] = value
    with pytest.raises(ValueError, match=complaint):
        check(table)


def test_a_factor_that_only_some_rows_have_is_refused():
    with pytest.raises(ValueError, match="empty cells in scale"):
        tidy([{"scale": "floor", "value": 1.0}, {"value": 2.0}], **ABOUT)


def test_a_cell_given_twice_is_refused_though_its_values_differ(table):
    table["format"] = "a"
    with pytest.raises(ValueError, match="duplicate rows"):
        check(table)


def test_repeats_of_a_cell_are_told_apart_by_repeat():
    assert len(tidy([{"value": 1.0, "repeat": n} for n in range(3)], **ABOUT)) == 3


@EXACT
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 3), FINITE, st.sampled_from(TIERS)), min_size=1, max_size=20
    )
)
def test_a_table_is_made_exactly_where_no_cell_comes_twice(cells):
    rows = [{"factor": f, "repeat": r, "value": v, "tier": t} for f, r, v, t in cells]
    if len({(f, r, t) for f, r, _, t in cells}) == len(cells):
        assert tidy(rows, metric="m", unit="u")["value"].tolist() == [value for _, _, value, _ in cells]
    else:
        with pytest.raises(ValueError, match="duplicate rows"):
            tidy(rows, metric="m", unit="u")


@EXACT
@given(st.dictionaries(st.text(max_size=5), FINITE, min_size=1, max_size=8))
def test_what_is_written_is_read(tmp_path_factory, cells):
    table = tidy([{"factor": name, "value": value} for name, value in cells.items()], **ABOUT)
    path = tmp_path_factory.getbasetemp() / "what_is_written.parquet"
    tables.write(table, path)
    pd.testing.assert_frame_equal(tables.read(path), table, check_exact=True)


def test_two_writes_of_a_table_give_identical_bytes(tmp_path, table):
    for name in ("a", "b"):
        tables.write(table.copy(), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_table_that_was_read_gives_the_same_bytes_again(tmp_path, table):
    tables.write(table, tmp_path / "a")
    tables.write(tables.read(tmp_path / "a"), tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_table_outside_the_schema_is_not_written(tmp_path, table):
    with pytest.raises(ValueError, match="no rows"):
        tables.write(table.iloc[:0], tmp_path / "t.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_is_not_there_says_which_command_makes_it(tmp_path):
    path = tmp_path / "t.parquet"
    with pytest.raises(UserError, match="does not exist; run `snakemake") as caught:
        tables.read(path)
    assert str(path) in str(caught.value)


def damaged(table, path):
    """Yield damaged versions of the written bytes: cut short, empty, another file, or with one byte flipped."""
    tables.write(table, path)
    whole = path.read_bytes()
    yield from (b"", b"no parquet at all", whole[: len(whole) // 2], whole[:-1])
    for place in range(0, len(whole), 29):
        yield whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]


def test_a_damaged_table_is_one_line_that_names_it_or_reads_as_it_was(tmp_path, table):
    path = tmp_path / "t.parquet"
    wrong = []
    for content in list(damaged(table, path)):
        path.write_bytes(content)
        try:
            tables.read(path)
        except UserError as error:
            if "\n" in str(error) or str(path) not in str(error):
                wrong.append(str(error))
    assert wrong == []


def test_a_flipped_bit_in_a_column_is_noticed(tmp_path):
    path = tmp_path / "t.parquet"
    tables.write(tidy([{"value": float(n), "repeat": n} for n in range(1000)], **ABOUT), path)
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 3] ^= 1
    path.write_bytes(whole)
    with pytest.raises(UserError, match="cannot be read"):
        tables.read(path)


def test_a_parquet_file_that_is_no_result_is_one_line(tmp_path, table):
    table.drop(columns="tier").to_parquet(tmp_path / "t.parquet")
    with pytest.raises(UserError, match=r"cannot be read \(table lacks tier\)"):
        tables.read(tmp_path / "t.parquet")


def test_names_that_were_exchanged_in_the_footer_are_noticed(tmp_path, table):
    """Page checksums cover only the pages, not their names in the footer."""
    path = tmp_path / "t.parquet"
    tables.write(table.assign(seed=[1, 2]), path)
    path.write_bytes(
        path.read_bytes().replace(b"seed", b"more").replace(b"repeat", b"seed").replace(b"more", b"repeat")
    )
    with pytest.raises(UserError, match="cannot be read"):
        tables.read(path)


def test_a_table_that_another_program_wrote_has_no_digest_and_is_refused(tmp_path, table):
    table.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(UserError, match="its sha256 does not match its content"):
        tables.read(tmp_path / "t.parquet")
