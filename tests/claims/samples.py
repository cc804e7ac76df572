"""Made-up claims, intervals, verdicts and tables for the tests."""

import json

from jouleproof.evidence import tables
from jouleproof.evidence.ledger import Claim, Query
from jouleproof.evidence.provenance import provenance_path
from jouleproof.evidence.verdicts import Verdict

INF = float("inf")
QUERY = {"table": "mx/thing", "metric": "m", "label": "The thing"}


def row(**changes):
    """Make a row of a ledger, as TOML reads it."""
    return {
        "id": "mx.thing",
        "area": "mx",
        "says": "It is better.",
        "source": "Somebody 2020",
        "unit": "x",
        "accept": [2.0, 3.0],
        "tier": "measured",
        **changes,
    }


def claim(**changes):
    return Claim.model_validate(row(**changes))


def query(**changes):
    return Query.model_validate({**QUERY, **changes})


def verdict_row(**changes):
    fields = {
        "id": "mx.thing",
        "area": "mx",
        "version": "-",
        "says": "It is better.",
        "source": "Somebody 2020",
        "published": 2.5,
        "accept": (2.0, 3.0),
        "unit": "x",
        "verdict": "reproduced",
        "tier": "measured",
        "reason": "The thing: [2.1, 2.9] lies in [2, 3].",
        "estimate": 2.5,
        "low": 2.1,
        "high": 2.9,
    }
    return Verdict(**{**fields, **changes})


def write_table(folder, rows, name="mx/thing", *, timed=False, busy=False, machine=None, inputs=None, **constants):
    """Write a result with its provenance. inputs: id to origin."""
    path = folder / f"{name}.parquet"
    tables.write(tables.tidy(rows, **{"metric": "m", "unit": "x", "tier": "measured", **constants}), path)
    provenance = {
        "timed": timed,
        "inputs": {id: {"origin": origin} for id, origin in (inputs or {}).items()},
        "contention": {"busy": busy},
        "machine": machine or {},
    }
    provenance_path(path).write_text(json.dumps(provenance), encoding="utf-8")
    return path


def repeats(*values, **factors):
    return [{**factors, "repeat": number, "value": value} for number, value in enumerate(values)]


def toml(rows):
    """Format a ledger of rows with plain values."""

    def value(it):
        if isinstance(it, dict):
            return "{ " + ", ".join(f"{json.dumps(key)} = {value(inner)}" for key, inner in it.items()) + " }"
        if isinstance(it, list):
            return f"[{', '.join(map(value, it))}]"
        return f"{it}" if isinstance(it, float) else json.dumps(it)

    lines = [line for row in rows for line in ("[[claim]]", *(f"{key} = {value(it)}" for key, it in row.items()))]
    return "\n".join(lines) + "\n"
