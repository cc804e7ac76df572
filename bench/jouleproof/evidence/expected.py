"""Accepted verdicts, by config and by the origin of the inputs, and how a run differs from them."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jouleproof.errors import UserError
from jouleproof.evidence.digits import number, span
from jouleproof.evidence.verdicts import NOT_YET_RUN, Verdict, verdict_in_words, version_suffix
from jouleproof.files import write_text

HEAD = """# The verdicts that were accepted, by config and by whether every input was real. Written by `make accept`;
# `snakemake check` compares a run with it. Rows that no result answers yet are left out.
"""


@dataclass(frozen=True)
class Accepted:
    """The parts of a verdict that the README shows."""

    verdict: str
    estimate: str
    interval: str
    tier: str


Key = tuple[str, str]  # config size; "real" or "stand-in"


@dataclass(frozen=True)
class Comparison:
    """Differences between a run and the accepted verdicts. failures: deterministic verdicts that changed. warnings:
    changes that rest on timings or on the last digits."""

    failures: list[str]
    warnings: list[str]


def key_of(size: str, rows: list[Verdict]) -> Key:
    """Return the key under which verdicts are filed. Local and downloaded inputs are the same bytes, so they share a
    key."""
    stand_in = any(origin == "stand-in" for row in rows for origin in row.inputs.values())
    return size, "stand-in" if stand_in else "real"


def name_of(row: Verdict) -> str:
    return row.id + version_suffix(row)


def accepted(row: Verdict) -> Accepted:
    """Convert a verdict. Estimate and interval are empty if there are none."""
    if row.estimate is None:
        return Accepted(row.verdict, "", "", row.tier)
    return Accepted(verdict_in_words(row), f"{number(row.estimate)} {row.unit}", span(row.low, row.high), row.tier)


def read_expected(path: Path) -> dict[Key, dict[str, Accepted]]:
    """Read the accepted verdicts. Raises UserError if the file does not have the format of `write_expected`."""
    try:
        sizes = tomllib.loads(path.read_text(encoding="utf-8"))
        return {
            (size, origin): {name: Accepted(**row) for name, row in rows.items()}
            for size, origins in sizes.items()
            for origin, rows in origins.items()
        }
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(f"claims: {path} cannot be read: {error}") from error


def write_expected(expected: Mapping[Key, Mapping[str, Accepted]], path: Path) -> None:
    sections = []
    for (size, origin), rows in sorted(expected.items()):
        lines = [f"[{size}.{origin}]"]
        for name, row in rows.items():
            values = ", ".join(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in vars(row).items())
            lines.append(f"{json.dumps(name, ensure_ascii=False)} = {{ {values} }}")
        sections.append("\n".join(lines) + "\n")
    write_text(path, HEAD + "\n" + "\n".join(sections))


def compare(rows: list[Verdict], expected: Mapping[str, Accepted]) -> Comparison:
    failures, warnings = [], []
    seen = set()
    for row in rows:
        name = name_of(row)
        before = expected[name].verdict if name in expected else NOT_YET_RUN
        seen.add(name)
        now = verdict_in_words(row)
        if now == before:
            continue
        moved = f"{name}: was {before}, is {now}. {row.reason}"
        if not row.deterministic:
            warnings.append(f"{moved} (rests on timings)")
        elif row.near_bound:
            warnings.append(f"{moved} (within numerical tolerance of a bound)")
        else:
            failures.append(moved)
    failures += [
        f"{name}: was {expected[name].verdict}, is no longer in the ledger" for name in expected if name not in seen
    ]
    return Comparison(failures, warnings)
