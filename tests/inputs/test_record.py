import json

import pytest

from jouleproof.inputs import InputError, load, resolve

from .conftest import CONTENT, make_entry

ENTRY = make_entry(bring="Make it.")
ENTRIES = {"tiny": ENTRY}


@pytest.fixture
def record_path(tmp_path):
    (tmp_path / "inputs/folder").mkdir(parents=True)
    (tmp_path / "inputs/folder/tiny.bin").write_bytes(CONTENT)
    resolve("tiny", tmp_path / "out", inputs_dir=tmp_path / "inputs", cache_dir=tmp_path, entries=ENTRIES)
    return tmp_path / "out/tiny.json"


def altered(path, change):
    table = json.loads(path.read_text())
    change(table)
    path.write_text(json.dumps(table))
    with pytest.raises(InputError) as caught:
        load(path, entries=ENTRIES)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_record_that_nobody_touched_is_read(record_path):
    record = load(record_path, entries=ENTRIES)
    assert (record.id, record.origin, record.licence) == ("tiny", "local", "MIT")
    assert record.path() == record.path("tiny.bin") == record_path.parent / "tiny/tiny.bin"


def test_a_record_may_be_moved_with_its_files(record_path):
    moved = record_path.parent.rename(record_path.parent.with_name("moved"))
    assert load(moved / "tiny.json", entries=ENTRIES).path().read_bytes() == CONTENT


def test_provenance_says_where_it_came_from_and_what_it_was(record_path):
    assert load(record_path, entries=ENTRIES).provenance() == {
        "origin": "local",
        "licence": "MIT",
        "citation": "Nobody, 2020",
        "sha256 of tiny.bin": ENTRY.files[0].sha256,
    }


@pytest.mark.parametrize("content", [CONTENT[::-1], CONTENT[:-1], CONTENT + b"x"])
def test_an_altered_file_is_found(record_path, content):
    (record_path.parent / "tiny/tiny.bin").write_bytes(content)
    with pytest.raises(InputError, match="tiny/tiny.bin has .*; recreate it with `snakemake -f .*tiny.json`"):
        load(record_path, entries=ENTRIES)


def test_a_missing_file_is_found(record_path):
    (record_path.parent / "tiny/tiny.bin").unlink()
    with pytest.raises(InputError, match=r"cannot read .*tiny/tiny\.bin"):
        load(record_path, entries=ENTRIES)


def test_a_missing_record_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*tiny\.json: No such file"):
        load(tmp_path / "tiny.json")


def test_a_file_and_its_hash_altered_together_are_found(record_path):
    (record_path.parent / "tiny/tiny.bin").write_bytes(b"")

    def change(table):
        empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        table["files"]["tiny.bin"] |= {"bytes": 0, "sha256": empty}

    assert "tiny.bin: its digest is not the catalogue's" in altered(record_path, change)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            lambda table: table.update(origin="guessed"),
            "origin: Input should be 'committed', 'local', 'downloaded' or ",
        ),
        (lambda table: table.update(note="hello"), "note: no such key; known here: id, title, "),
        (lambda table: table.update(folder="/"), "folder: Input should be an instance of Path"),
        (lambda table: table.pop("licence"), "licence: Field required"),
        (lambda table: table.update(id="other"), "it is the record of other"),
        (lambda table: table.update(files={}), "not those of the catalogue"),
        (lambda table: table.update(files=[]), "files: expected keys, as {key: value} (got [])"),
        (lambda table: table["files"].update(more=table["files"]["tiny.bin"]), "not those of the catalogue"),
        (lambda table: table["files"]["tiny.bin"].update(path="../inputs/folder/tiny.bin"), "not a plain relative"),
        (lambda table: table["files"]["tiny.bin"].update(path="/etc/passwd"), "not a plain relative"),
        (
            lambda table: table["files"]["tiny.bin"].update(bytes="512000"),
            "files.tiny.bin.bytes: Input should be a valid integer",
        ),
        (lambda table: table["files"]["tiny.bin"].update(sha256="0"), "files.tiny.bin.sha256: String should match"),
    ],
)
def test_an_altered_record_is_found(record_path, change, complaint):
    assert complaint in altered(record_path, change)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"null"])
def test_what_is_no_record_is_one_line(record_path, content):
    record_path.write_bytes(content)
    with pytest.raises(InputError, match="is not a record of an input"):
        load(record_path, entries=ENTRIES)


def test_a_file_that_is_not_there_is_answered_with_those_that_are(record_path):
    with pytest.raises(InputError, match="tiny: there is no file other.bin; its files: tiny.bin"):
        load(record_path, entries=ENTRIES).path("other.bin")
