"""The one table schema: the factors of an experiment, then metric, unit, value, repeat, seed, tier."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from jouleproof.errors import UserError
from jouleproof.files import atomic

if "PANDAS_FUTURE_INFER_STRING" in os.environ:  # it changes the type of texts, and with it the bytes of a table
    pd.set_option("future.infer_string", True)

MEASURED, SIMULATED, CITED = TIERS = ("measured", "simulated", "cited")
DIGEST = b"sha256"  # metadata entry that covers what page checksums do not: names, types, the column of each page
COLUMNS = {"metric": "str", "unit": "str", "value": "float64", "repeat": "int64", "seed": "int64", "tier": "str"}


def tidy(rows: Iterable[Mapping[str, Any]], **constants: Any) -> pd.DataFrame:
    """Build one table from rows of factors and values; `constants` (metric=, unit=, tier= …) fill in what the rows
    omit.

    repeat and seed are 0 if nothing was repeated or drawn at random.
    """
    table = pd.DataFrame([{"repeat": 0, "seed": 0, **constants, **row} for row in rows])
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise ValueError(f"table lacks {', '.join(missing)}")
    factors = [name for name in table.columns if name not in COLUMNS]
    table = table[[*factors, *COLUMNS]].astype(COLUMNS)
    check(table)
    return table


def check(table: pd.DataFrame) -> None:
    """Raise ValueError if a table violates the schema: a missing column, an empty cell, a value that is not finite, an
    unknown tier, or a duplicate cell."""
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise ValueError(f"table lacks {', '.join(missing)}")
    if table.empty:
        raise ValueError("table has no rows")
    holes = [name for name in table.columns if table[name].isna().any()]
    if holes:
        raise ValueError(f"table has empty cells in {', '.join(holes)}")
    if not np.isfinite(table["value"]).all():
        raise ValueError("table has values that are not finite")
    unknown = set(table["tier"]) - set(TIERS)
    if unknown:
        raise ValueError(f"table has unknown tiers {sorted(unknown)}; known: {', '.join(TIERS)}")
    keys = [name for name in table.columns if name != "value"]
    if table.duplicated(keys).any():
        raise ValueError(f"table has duplicate rows for {table[table.duplicated(keys)].iloc[0].to_dict()}")


def write(table: pd.DataFrame, path: Path) -> None:
    """Write a table as parquet, atomically; identical tables give identical bytes."""
    check(table)
    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    arrow = arrow.replace_schema_metadata({DIGEST: _digest(arrow.to_pandas())})
    with atomic(path) as temporary:
        pq.write_table(arrow, temporary, compression="zstd", write_page_checksum=True)


def read(path: Path) -> pd.DataFrame:
    """Read a table. Raises UserError if the file is absent, damaged or not in the schema."""
    try:
        arrow = pq.read_table(path, page_checksum_verification=True)
        table = arrow.replace_schema_metadata(None).to_pandas()
        check(table)
        if (arrow.schema.metadata or {}).get(DIGEST) != _digest(table):
            raise ValueError("its sha256 does not match its content")
    except FileNotFoundError:
        raise UserError(f"results: {path} does not exist; run `snakemake {path}`") from None
    except (OSError, pa.ArrowException, ValueError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"results: {path} cannot be read ({reason}); delete it and run `snakemake` again") from error
    return table


def _digest(table: pd.DataFrame) -> bytes:
    """Hexadecimal SHA-256 over the names, types and values of the columns."""
    digest = hashlib.sha256()
    for name, column in table.items():
        digest.update(f"{name!r}: {column.dtype}".encode(errors="backslashreplace"))
        digest.update(pd.util.hash_array(column.to_numpy(), categorize=False).tobytes())
    return digest.hexdigest().encode()
