"""Conversions: what the project carries holds what was published, and what a user brings is judged by its values."""

import csv
import hashlib
import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jouleproof.inputs import CommittedEntry, InputError, catalogue, convert, entry, load, resolve
from jouleproof.inputs.convert import acme_power, pickled_arrays
from jouleproof.inputs.ml_energy import COLUMNS, TASKS, TEXT, WHOLE, to_csv
from jouleproof.inputs.resolve import COMMITTED
from jouleproof.inputs.stand_in.mlenergy import POINTS

COMMITTED_IDS = [entry.id for entry in catalogue().values() if isinstance(entry, CommittedEntry)]


def digest(content: bytes) -> tuple[int, str]:
    return len(content), hashlib.sha256(content).hexdigest()


def published(id: str) -> list[tuple[int, str]]:
    committed = entry(id)
    assert isinstance(committed, CommittedEntry)
    return [(file.bytes, file.sha256) for file in committed.published]


@pytest.mark.parametrize("id", COMMITTED_IDS)
def test_a_table_of_the_project_is_what_the_catalogue_promises(id, tmp_path):
    record = resolve(id, tmp_path, inputs_dir=None, cache_dir=tmp_path, mode="required")
    assert record.origin == "committed"
    assert load(tmp_path / f"{id}.json") == record
    notice = (COMMITTED / "NOTICE").read_text(encoding="utf-8")
    assert all(text in notice for text in (record.path().name, record.citation, f"Licence: {record.licence}"))


def test_the_folder_of_tables_holds_nothing_else():
    assert {path.name for path in COMMITTED.iterdir()} == {
        *(f"{id}.parquet" for id in COMMITTED_IDS),
        *("NOTICE", "LICENSE-Apache-2.0"),
    }


@pytest.mark.parametrize("id", ["azure_code", "azure_conv"])
def test_the_published_trace_comes_out_of_the_table_again(id):
    table = pq.read_table(COMMITTED / f"{id}.parquet").to_pandas()
    times = table["TIMESTAMP"].dt.strftime("%Y-%m-%d %H:%M:%S.%f") + (table["TIMESTAMP"].dt.nanosecond // 100).astype(
        str
    )
    rows = zip(times, table["ContextTokens"], table["GeneratedTokens"], strict=True)
    text = "\r\n".join(["TIMESTAMP,ContextTokens,GeneratedTokens", *(f"{a},{b},{c}" for a, b, c in rows)])
    assert [digest(text.encode())] == published(id)


def test_the_published_profile_comes_out_of_the_table_again():
    text = pq.read_table(COMMITTED / "splitwise_profile.parquet").to_pandas().to_csv(index=False, lineterminator="\n")
    assert [digest(text.encode())] == published("splitwise_profile")


@pytest.mark.skipif(not os.environ.get("JOULEPROOF_INPUTS"), reason="needs a folder with the published files")
@pytest.mark.parametrize("id", COMMITTED_IDS)
def test_a_published_file_converts_to_the_table_of_the_project(id, tmp_path):
    try:
        path = convert(id, Path(os.environ["JOULEPROOF_INPUTS"]), tmp_path)
    except InputError as error:
        pytest.skip(str(error))
    assert pq.read_table(path).equals(pq.read_table(COMMITTED / path.name))


@pytest.mark.parametrize(
    ("id", "source", "complaint"),
    [
        ("azure_conv", "{}", "holds no file of 719,188 bytes; needed: AzureLLMInferenceTrace_conv.csv from https://"),
        ("azure_code", "{}/same_size.csv", "same_size.csv has sha256 "),
        ("azure_code", "{}/nothing", "there is no file or folder "),
        ("gsm8k_test", "{}", "nothing to convert: https://"),
        ("mlenergy", "{}", "holds no tasks/gpqa.json"),
        ("mlenergy", "{}/same_size.csv", "is not a table of its measurements: "),
        ("azure", "{}", "'azure' is not in the catalogue"),
    ],
)
def test_a_wrong_source_is_one_line_and_nothing_is_written(id, source, complaint, tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source/same_size.csv").write_bytes(bytes(320_117))
    with pytest.raises(InputError) as caught:
        convert(id, Path(source.format(tmp_path / "source")), tmp_path / "out")
    assert complaint in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.fixture
def pickles(tmp_path):
    """Write pickles as Acme published them: lists of watts and percentages."""
    percentages = np.linspace(0, 100, 1000)
    watts = [np.sort(np.random.default_rng(seed).uniform(0, 600, 1000)) for seed in range(4)]
    paths = [tmp_path / name for name in ("gpu_power_kalos.pkl", "gpu_power_seren.pkl", "server_power.pkl")]
    for path, of_file in zip(paths, ([0], [1], [2, 3]), strict=True):
        path.write_bytes(pickle.dumps([array for number in of_file for array in (watts[number], percentages)], 4))
    return paths, watts


def test_arrays_are_taken_out_of_a_pickle_without_loading_it(pickles, tmp_path):
    paths, watts = pickles
    (tmp_path / "table").write_bytes(acme_power(paths))
    table = pq.read_table(tmp_path / "table").to_pandas()
    assert table["cdf_percent"].tolist() == np.linspace(0, 100, 1000).round(4).tolist()
    assert [table[name].tolist() for name in list(table)[1:]] == [array.tolist() for array in watts]


class Payload:
    def __reduce__(self):
        return (os.mkdir, (os.environ["PAYLOAD"],))


def test_code_in_a_pickle_is_never_executed(tmp_path, monkeypatch):
    monkeypatch.setenv("PAYLOAD", str(tmp_path / "made"))
    path = tmp_path / "hostile.pkl"
    path.write_bytes(pickle.dumps([Payload(), np.zeros(1000)], 4))
    assert pickled_arrays(path) == [bytes(8000)]
    with pytest.raises(InputError, match="do not hold four distributions"):
        acme_power([path])
    assert not (tmp_path / "made").exists()
    path.write_bytes(b"no pickle")
    with pytest.raises(InputError, match="is not a pickle"):
        pickled_arrays(path)


def rows_of_points() -> Iterator[dict[str, str]]:
    """Yield rows with all columns, of the cited selection; columns that it lacks count up."""
    lines = POINTS.read_text(encoding="utf-8").splitlines()
    for number, point in enumerate(csv.DictReader(line for line in lines if not line.startswith("#"))):
        row = {name: f"{number}" if name in WHOLE else f"{number}.5" for name in COLUMNS if name not in TEXT}
        yield row | {name: f"{name} {number % 7}" for name in TEXT} | {"nickname": point["model"]}


ROWS = list(rows_of_points())[:20]


def as_csv(path: Path, rows: list[dict[str, str]], columns: list[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


@given(st.permutations(ROWS), st.permutations([*COLUMNS, "note"]), st.sampled_from(["", "0", "00"]))
def test_any_table_with_the_same_values_gives_the_same_file(rows, columns, zeros):
    import tempfile

    written = [
        {**row, "note": "x", **{name: value + zeros for name, value in row.items() if value.endswith(".5")}}
        for row in rows
    ]
    with tempfile.TemporaryDirectory() as folder:
        one = to_csv(as_csv(Path(folder) / "one.csv", ROWS, list(COLUMNS)))
        assert to_csv(as_csv(Path(folder) / "other.csv", written, columns)) == one


def test_another_value_gives_another_file(tmp_path):
    one = to_csv(as_csv(tmp_path / "one.csv", ROWS, list(COLUMNS)))
    changed = [{**ROWS[0], "avg_power_watts": "1.0"}, *ROWS[1:]]
    assert to_csv(as_csv(tmp_path / "one.csv", changed, list(COLUMNS))) != one


def test_the_leaderboards_files_and_a_table_of_them_are_the_same(tmp_path):
    import json

    names = {"total_params_b": "total_params_billions", "active_params_b": "activated_params_billions"}
    rows = []
    for number, task in enumerate(TASKS):
        row = {**ROWS[number], "task": task}
        rows.append(row)
        read = {name: value if name in TEXT else json.loads(value) for name, value in row.items()}
        published = {names.get(name, name): value for name, value in read.items() if name != "task"}
        path = tmp_path / "public/data/tasks" / f"{task}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"task": task, "configurations": [published]}), encoding="utf-8")
    table = to_csv(as_csv(tmp_path / "table.csv", rows, list(COLUMNS)))
    assert to_csv(tmp_path) == to_csv(tmp_path / "public/data") == to_csv(tmp_path / "public/data/tasks") == table
    path.write_text('{"configurations": [{}]}', encoding="utf-8")
    with pytest.raises(InputError, match=r"video-chat\.json is not a file of the leaderboard: KeyError: 'model_id'"):
        to_csv(tmp_path)


def test_measurements_of_another_version_are_one_line(tmp_path):
    source = as_csv(tmp_path / "table.csv", ROWS, list(COLUMNS))
    with pytest.raises(InputError, match="converted, has .* expected 242,796. Convert a copy of github.com/ml-energy"):
        convert("mlenergy", source, tmp_path / "inputs")
    (tmp_path / "inputs/mlenergy").mkdir(parents=True, exist_ok=True)
    source.rename(tmp_path / "inputs/mlenergy/mlenergy_tokens.csv")
    with pytest.raises(InputError, match="mlenergy_tokens.csv has .* expected 242,796, none stated"):
        resolve("mlenergy", tmp_path / "out", inputs_dir=tmp_path / "inputs", cache_dir=tmp_path)


@pytest.mark.skipif(not os.environ.get("JOULEPROOF_INPUTS"), reason="needs ML.ENERGY's measurements")
def test_a_users_own_notation_of_the_measurements_is_accepted(tmp_path):
    real = Path(os.environ["JOULEPROOF_INPUTS"]) / "mlenergy/mlenergy_tokens.csv"
    if not real.exists():
        pytest.skip("ML.ENERGY's measurements are not in the folder")
    with real.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    (tmp_path / "inputs/mlenergy").mkdir(parents=True)
    as_csv(tmp_path / "inputs/mlenergy/mlenergy_tokens.csv", rows[::-1], sorted(COLUMNS))
    record = resolve("mlenergy", tmp_path / "out", inputs_dir=tmp_path / "inputs", cache_dir=tmp_path)
    assert record.origin == "local" and record.path().read_bytes() == real.read_bytes()
