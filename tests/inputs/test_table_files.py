"""Tables of users: the kind of file is what its content says, names stay names, and only numbers are numbers."""

import bz2
import datetime
import decimal
import gzip
import lzma
import os
from threading import Thread

import pandas as pd
import pytest

from jouleproof.errors import UserError
from jouleproof.inputs import numbers, read_table, table_files

NAMES = ["NA", "null", "None", "nan", "-", "#N/A", "", "1e5", "007", "True", "2024-01-01", "a, b", 'the "third"']
TABLE = pd.DataFrame({"name": NAMES, "t_s": 0.1})


def as_csv(path):
    TABLE.to_csv(path, index=False)


def packed(pack):
    return lambda path: path.write_bytes(pack(TABLE.to_csv(index=False).encode()))


@pytest.mark.parametrize("write", [as_csv, TABLE.to_parquet, packed(gzip.compress), packed(bz2.compress),
                                   packed(lzma.compress)])  # fmt: skip
@pytest.mark.parametrize("name", ["t.csv", "t.parquet", "t.pq", "t.PARQUET", "t.csv.gz", "t", "t.1"])
def test_a_file_is_what_its_content_says_under_any_name(tmp_path, write, name):
    write(tmp_path / name)
    table = read_table(tmp_path / name)
    assert table["name"].tolist() == NAMES
    assert numbers(table["t_s"], "seconds", "t").tolist() == [0.1] * len(NAMES)


def test_rows_of_csv_go_by_their_line_and_rows_of_parquet_by_their_number(tmp_path):
    (tmp_path / "t.csv").write_bytes(b'\xef\xbb\xbfname,t_s\r\n\r\n"two\r\nlines",1\r\n \r\nb,2\r\n')
    assert read_table(tmp_path / "t.csv").index.tolist() == [3, 6]
    TABLE[:3].to_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").index.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04xl/workbook.xml", r"is a spreadsheet .*; known: .csv, .*.parquet"),
        (b"ARROW1\0\0", "is a Feather file; known: "),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        (b"PAR1 and nothing else", "cannot be read: "),
        (b"\x1f\x8b\x08 and nothing else", "cannot be unpacked"),
        (b"name\n\xff\xfe", "cannot be read: neither parquet nor text in UTF-8; known: "),
        (b"name,t_s\na,1\n\nb,2,3\n", "line 4: 3 cells; the header has 2"),
        (b"name,t_s\na,1\nb\n", "line 3: 1 cells; the header has 2"),
        (b"name,name\na,1\n", "column 'name' appears twice"),
        (b'name,t_s\n"a"b,1\n', "line 2: is not CSV"),
    ],
)
def test_a_file_that_is_no_table_is_one_line_that_names_it(tmp_path, content, message):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        read_table(tmp_path / "t.csv")
    assert str(tmp_path / "t.csv") in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_that_is_not_there_and_a_folder_are_refused_in_the_words_of_the_system(tmp_path):
    with pytest.raises(UserError, match=r"cannot be read \(No such file or directory\)"):
        read_table(tmp_path / "nowhere.csv")
    with pytest.raises(UserError, match=r"cannot be read \(Is a directory\)"):
        read_table(tmp_path)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (pd.to_datetime(["2024-01-01"]), "a date"),
        (pd.to_datetime(["2024-01-01"]).tz_localize("UTC"), "a date"),
        (pd.Series(pd.to_datetime(["2024-01-01"])).astype("category"), "a date"),
        ([datetime.date(2024, 1, 1)], "a date"),
        (pd.period_range("2024-01", periods=1, freq="M"), "a date"),
        ([datetime.time(3)], "a time of day"),
        (pd.to_timedelta([1], unit="s"), "a duration"),
        ([True], "true or false"),
        ([True, None], "true or false"),
        ([1 + 2j], "complex"),
        ([[1.0]], "of type list"),
        ([1, "b"], "a mixture of numbers and others"),
    ],
)
def test_what_would_turn_into_a_number_is_refused(values, words):
    with pytest.raises(UserError, match=f"^mine: t_s is {words}; needed: seconds$"):
        numbers(pd.Series(values, name="t_s"), "seconds", "mine")


@pytest.mark.parametrize(
    "values",
    [
        [1, 2],
        ["1", " 2e0"],
        pd.Series([1, 2]).astype("category"),
        pd.Series(["1", "2"]).astype("category"),
        [decimal.Decimal("1"), decimal.Decimal("2.0")],
        pd.Series([1, 2], dtype="Int64"),
        pd.Series([1, 2], dtype="uint8"),
    ],
)
def test_numbers_are_numbers_however_they_are_kept(values):
    assert numbers(pd.Series(values, name="t_s"), "seconds", "mine").tolist() == [1.0, 2.0]


def test_a_cell_without_a_number_is_nan():
    for values in (["1", "1,5"], ["1", ""], pd.array([1, None], dtype="Int64"), [1.0, None]):
        read = numbers(pd.Series(values, name="t_s"), "seconds", "mine")
        assert read.isna().tolist() == [False, True] and read.dtype == float


def test_a_pipe_is_read_which_can_be_opened_once_only(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = Thread(target=lambda: (tmp_path / "pipe").write_text("name,t_s\na,1\n"), daemon=True)
    writer.start()
    assert read_table(tmp_path / "pipe")["name"].tolist() == ["a"]
    writer.join(timeout=10)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_text_of_any_system_is_read(tmp_path, encoding, end):
    (tmp_path / "t.csv").write_bytes(f"name,t_s{end}grün,1{end}".encode(encoding))
    table = read_table(tmp_path / "t.csv")
    assert list(table) == ["name", "t_s"] and table["name"].tolist() == ["grün"]


def test_the_line_that_is_no_text_is_named(tmp_path):
    for content, complaint in (
        (b"name\na\n\xff", "line 3: cannot be read"),
        (b"name\na\0\n", "line 2: holds a NUL byte"),
    ):
        (tmp_path / "t.csv").write_bytes(content)
        with pytest.raises(UserError, match=complaint):
            read_table(tmp_path / "t.csv")


def test_what_unpacks_to_more_than_memory_may_hold_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(table_files, "MOST_BYTES", 1 << 20)
    for content in (gzip.compress(bytes(1 << 21)), bytes(1 << 21)):
        (tmp_path / "t.csv").write_bytes(content)
        with pytest.raises(UserError, match="holds more than 1 MiB; split it"):
            read_table(tmp_path / "t.csv")
