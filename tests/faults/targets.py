"""Targets of fuzzing: files that may be damaged, with good examples, the reader, and an oracle for what the reader
accepts.

Each target's `says` raises AssertionError if the value that was read differs from that of an independent reader; it
returns the outcome under which the input is counted.
"""

import hashlib
import io
import json
import random
import tempfile
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from jouleproof import inputs
from jouleproof.cli.claims import built_in_ledgers
from jouleproof.errors import UserError
from jouleproof.evidence import tables as tables_of
from jouleproof.evidence.ledger import read_ledger
from jouleproof.formats import load_mxarray, quantize, save_mxarray
from jouleproof.inputs.files import Digest, WrongContent, check
from jouleproof.inputs.stand_in import mlenergy
from jouleproof.serving.simulator.workload import read_requests
from jouleproof.settings import Settings, read_settings
from tests.faults import oracles
from tests.faults.mutate import damaged, damaged_tree

ROOT = Path(__file__).resolve().parents[2]
UNCHANGED, CHANGED, REFUSED_BY_HASH = (
    "read unchanged",
    "read with the changed values",
    "refused by the hash of the input",
)
Files = dict[str, bytes]


@dataclass(frozen=True)
class Target:
    """A reader under test. what: name in the table. draw: makes a damaged case. read: (case, an empty folder) -> value.
    says: (case, value, folder) -> outcome. refusals: errors that the reader may raise. lines: if an error may have
    several lines, the beginnings that each must have."""

    what: str
    draw: Callable[[random.Random], Any]
    read: Callable[[Any, Path], Any]
    says: Callable[[Any, Any, Path], str]
    refusals: tuple[type[Exception], ...] = (UserError,)
    lines: tuple[str, ...] = ()


def _of_files(
    what: str, originals: Callable[[], list[Files]], read: Callable[..., Any], says: Callable[..., str], **more: Any
) -> Target:
    """Build a target whose cases are damaged files in a folder; `read` receives their paths in order."""

    def put_and_read(files: Files, folder: Path) -> Any:
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        return read(*(folder / name for name in files))

    return Target(what, draw=lambda rng: damaged(rng, originals()), read=put_and_read, says=says, **more)


def _written(write: Callable[[Path], Any], name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / name)
        return (Path(folder) / name).read_bytes()


# Files of this project, which a digest protects: the same content, or an error.


@cache
def _arrays() -> dict[bytes, Any]:
    arrays = {}
    for number, (fmt, shape) in enumerate([("mxfp4", (2, 8)), ("mxfp6_e2m3", (3, 70)), ("mxint8", (1, 32))]):
        packed = quantize(np.random.default_rng(number).standard_normal(shape).astype(np.float32), fmt)
        arrays[_written(lambda path, packed=packed: save_mxarray(packed, path), "a.mx")] = packed
    return arrays


def _mxarrays() -> list[Files]:
    return [{"it.mx": content} for content in _arrays()]


def _mxarray_says(files: Files, array: Any, folder: Path) -> str:
    assert any(
        (array.fmt, array.shape, array.axis) == (expected.fmt, expected.shape, expected.axis)
        and np.array_equal(array.codes, expected.codes)
        and np.array_equal(array.scales, expected.scales)
        for expected in _arrays().values()
    ), "an array that was never written"
    return UNCHANGED


@cache
def _tables() -> dict[bytes, pd.DataFrame]:
    rows = [{"format": f"f{n % 3}", "load": n / 4, "value": n * 1.5 - 2, "repeat": n} for n in range(12)]
    tables = [
        tables_of.tidy(rows, metric="qsnr", unit="dB", tier="measured"),
        tables_of.tidy([{"value": 1.0}], metric="m", unit="u", tier="cited"),
        tables_of.tidy(
            [{**row, "seed": 7, "design": "splitwise"} for row in rows], metric="m", unit="s", tier="simulated"
        ),
    ]
    return {_written(lambda path, table=table: tables_of.write(table, path), "t.parquet"): table for table in tables}


def _result_tables() -> list[Files]:
    return [{"it.parquet": content} for content in _tables()]


def _table_says(files: Files, read: pd.DataFrame, folder: Path) -> str:
    assert any(read.equals(table) and list(read) == list(table) for table in _tables().values()), "another table"
    return UNCHANGED


# Records of inputs, whose hashes protect the files.


@cache
def _record() -> list[Files]:
    with tempfile.TemporaryDirectory() as folder:
        inputs.resolve("gsm8k_test", Path(folder), inputs_dir=None, cache_dir=Path(folder), mode="stand-in")
        record = json.loads((Path(folder) / "gsm8k_test.json").read_bytes())
    (entry,) = record["files"].values()
    content = b'{"question": "How many?", "answer": "Two.\\n#### 2"}\n'
    entry |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return [{"gsm8k_test.json": json.dumps(record, indent=2).encode(), entry["path"]: content}]


def _record_says(files: Files, record: inputs.Record, folder: Path) -> str:
    (original,) = _record()
    (name,) = [name for name in original if name != "gsm8k_test.json"]
    assert record.path().read_bytes() == original[name], "another file than the one recorded"
    of_files = {name: vars(file) for name, file in record.files.items()}
    oracles.same_content(json.loads(files["gsm8k_test.json"]), {**vars(record), "files": of_files})
    return UNCHANGED if files == original else CHANGED


# Files that users write: every value as given.


@cache
def _configs() -> list[Any]:
    folder = ROOT / "workflows/config"
    whole = [
        yaml.safe_load((folder / f"{size}.yaml").read_text(encoding="utf-8")) for size in ("tiny", "default", "full")
    ]
    parts = [{key: config[key]} for config in whole for key in config if isinstance(config[key], dict)]
    return [{"size": "own", "inputs": {"gsm8k_test": "stand-in"}, **part} for part in parts]


def _settings_say(given: Any, settings: Settings, folder: Path) -> str:
    configs = {name: config.model_dump() for name, config in settings.configs.items()}
    oracles.same_content(given, {**vars(settings), **configs})
    for study in settings.studies:
        config = settings.configs[study.name]
        assert study.all_knobs(config.model_dump_json()) == config, f"{study.name} is not what its jobs read"
    return CHANGED


def _ledger() -> list[Files]:
    claims = [
        b"[[claim]]" + claim for path in built_in_ledgers() for claim in path.read_bytes().split(b"[[claim]]")[1:]
    ]
    return [{"claims.toml": b"".join(claims[start : start + 3])} for start in range(0, len(claims), 3)]


def _ledger_says(files: Files, claims: Any, folder: Path) -> str:
    rows = tomllib.loads(io.StringIO(files["claims.toml"].decode(), newline=None).read())["claim"]
    oracles.same_content(rows, [claim.model_dump() for claim in claims])
    return CHANGED


# Tables of others: every number as an independent reader finds it.

REQUESTS = b"""request_id,request_type,application_id,arrival_timestamp,batch_size,prompt_size,token_size
0,0,0,0.01,1,1024,129
1,0,0,0.5,1,17,3
2,0,0,2.25,1,4000,1
"""


def _same_columns(files: Files, table: Any, columns: Mapping[str, str], **how: Any) -> dict[str, list[str]]:
    """Check columns of the file against the columns that were read, by name. Return all cells. how: for
    oracles.same_numbers."""
    cells = oracles.csv_cells(files["it.csv"], without_blank_lines=how.pop("without_blank_lines", False))
    for column, name in columns.items():
        oracles.same_numbers(cells[column], getattr(table, name).tolist(), **how)
    return cells


def _requests_say(files: Files, requests: Any, folder: Path) -> str:
    columns = {"prompt_size": "prompt", "token_size": "output"}
    arrival = _same_columns(files, requests, columns, without_blank_lines=True)["arrival_timestamp"]
    since_first = [str(Decimal(at) - int(Decimal(arrival[0]))) for at in arrival]
    oracles.same_numbers(since_first, requests.arrival_s.tolist())
    return CHANGED


def _some_rows(table: bytes, *starts: int) -> list[Files]:
    """Return the header with four rows from each start."""
    head, *lines = table.split(b"\n")
    return [{"it.csv": b"\n".join([head, *lines[start : start + 4], b""])} for start in starts]


def _energies() -> list[Files]:
    return _some_rows(mlenergy.measurements(0), 0, 19)


def _energy_says(files: Files, table: pd.DataFrame, folder: Path) -> str:
    from jouleproof.inputs.readers import _MEASURED, _NAMED

    cells = oracles.csv_cells(files["it.csv"], without_blank_lines=True)
    for column, name in _NAMED.items():
        assert cells[column] == table[name].tolist(), column
    for column, (name, _, _) in _MEASURED.items():
        oracles.same_numbers(cells[column], table[name].tolist(), empty="")
    return CHANGED


GSM8K = (
    b'{"question": "Natalia sold clips.", "answer": "She sold 48/2 = <<48/2=24>>24.\\n#### 72"}\n'
    b'{"question": "Weng earns $12.", "answer": "He earned\\n#### 1,210"}\n'
    b'{"question": "Owes?", "answer": "It is\\n#### -10"}\n'
)


def _gsm8k_says(files: Files, problems: Any, folder: Path) -> str:
    text = files["it.jsonl"].decode().replace("\r\n", "\n").replace("\r", "\n")
    rows = [json.loads(line) for line in text.removesuffix("\n").split("\n")]
    assert len(rows) == len(problems)
    for row, problem in zip(rows, problems, strict=True):
        assert (row["question"], row["answer"]) == (problem.question, problem.answer)
        assert str(problem.final) == str(int(row["answer"].rpartition("\n#### ")[2].replace(",", "")))
    return CHANGED


@cache
def _cpu_use() -> list[Files]:
    used = pd.DataFrame({"id": ["a", "a", "b"], "duration": [300_000, 900_000, 3], "cpu_usage": [1.0, 2.0, 500.0]})
    described = pd.DataFrame({"id": ["a", "b"], "cpu_capacity": [4.0, 1000.0], "mem": [1, 2]})
    tables = {"fragments.parquet": used, "tasks.parquet": described}
    return [{name: table.to_parquet(None, index=False) for name, table in tables.items()}]


def _cpu_use_says(files: Files, table: pd.DataFrame, folder: Path) -> str:
    """Check without an independent reader of parquet: the hashes in the catalogue and in the record protect the
    files."""
    assert np.nanmin(table.to_numpy()) >= 0 and np.nanmax(table.to_numpy()) <= 1, "shares below 0 or above 1"
    (original,) = _cpu_use()
    if files == original:
        return UNCHANGED
    caught = 0
    for name, content in original.items():
        try:
            check(folder / name, Digest(len(content), hashlib.sha256(content).hexdigest()))
        except WrongContent:
            caught += 1
    assert caught, "a changed file passes its hash"
    return REFUSED_BY_HASH


# Models: every weight as an independent reader finds it.


@cache
def _encoder() -> list[Files]:
    from safetensors.torch import save

    from tests.models.test_minilm import CONFIG, saved_tensors, small_tokenizer

    tokenizer, config = small_tokenizer().to_str().encode(), json.dumps(CONFIG).encode()
    return [{"model.safetensors": save(saved_tensors()), "config.json": config, "tokenizer.json": tokenizer}]


def _read_encoder(*paths: Path) -> Any:
    from jouleproof.models.minilm import load_minilm

    return load_minilm(*paths)


def _encoder_says(files: Files, model: Any, folder: Path) -> str:
    from tests.models.test_encoder import their_name

    expected = oracles.tensors(files["model.safetensors"])
    for name, value in model.network.state_dict().items():
        tensor = expected[their_name(name)]
        assert tensor.dtype == np.float32 and str(value.dtype) == "torch.float32", f"{name} is {tensor.dtype}"
        assert value.numpy().tobytes() == tensor.tobytes(), name
    return UNCHANGED if files == _encoder()[0] else CHANGED


TARGETS: Mapping[str, Target] = {
    "settings": Target(
        "configs",
        draw=lambda rng: damaged_tree(rng, _configs()),
        read=lambda config, _: read_settings(config, {}),
        says=_settings_say,
        lines=("config: ",),
    ),
    "ledger": _of_files("ledgers of claims", _ledger, read_ledger, _ledger_says, lines=("claims: ",)),
    "requests": _of_files("requests for the simulator", lambda: [{"it.csv": REQUESTS}], read_requests, _requests_say),
    "energy": _of_files("measured energy (ML.ENERGY)", _energies, inputs.read_energy, _energy_says),
    "cpu_use": _of_files("CPU records (parquet)", _cpu_use, inputs.read_cpu_use, _cpu_use_says),
    "gsm8k": _of_files("word problems (GSM8K)", lambda: [{"it.jsonl": GSM8K}], inputs.read_gsm8k, _gsm8k_says),
    "record": _of_files(
        "records of inputs, and their files", _record, lambda record, _: inputs.load(record), _record_says
    ),
    "mxarray": _of_files("MXArray files", _mxarrays, load_mxarray, _mxarray_says, refusals=(ValueError,)),
    "safetensors": _of_files("models (safetensors, config, tokenizer)", _encoder, _read_encoder, _encoder_says),
    "results": _of_files("result tables (parquet)", _result_tables, tables_of.read, _table_says),
}
