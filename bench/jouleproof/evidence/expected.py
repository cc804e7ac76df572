"""Accepted verdicts, by config and by the stand-ins each depends on, and how the rows of a run differ from them."""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jouleproof.errors import UserError
from jouleproof.evidence.digits import number, span
from jouleproof.evidence.provenance import STAND_IN, stand_ins_in
from jouleproof.evidence.verdicts import NOT_YET_RUN, Verdict, verdict_in_words, version_suffix
from jouleproof.files import write_text

HEAD = """# The verdicts that were accepted, by config and by the inputs of the row that are stand-ins. Written by
# `jouleproof claims accept`; `snakemake check` compares the rows of a run with it.
"""
REAL = "real"
SECTION = re.compile(rf"{REAL}|{STAND_IN} [^\s,]+(, [^\s,]+)*")


@dataclass(frozen=True)
class Accepted:
    """The parts of a verdict that the README shows."""

    verdict: str
    estimate: str
    interval: str
    tier: str


Key = tuple[str, str]  # config size; "real" or "stand-in ID, ID", the ids sorted
Sections = Mapping[Key, Mapping[str, Accepted]]


@dataclass(frozen=True)
class Comparison:
    """Differences between the rows of a run and the accepted verdicts.

    failures: deterministic verdicts that changed, and accepted rows that no ledger has. warnings: changes that rest on
    timings or on the last digits. unaccepted: by section, the rows that it lacks. unchanged: number of rows that are as
    they were accepted.
    """

    failures: list[str]
    warnings: list[str]
    unaccepted: dict[str, list[str]]
    unchanged: int


def section_of(row: Verdict) -> str:
    """Return the section in which a row is filed: "real", or "stand-in" and the ids of its inputs that are one."""
    stand_ins = stand_ins_in(row.inputs)
    return f"{STAND_IN} {', '.join(stand_ins)}" if stand_ins else REAL


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
            (size, _checked(section)): {name: Accepted(**row) for name, row in rows.items()}
            for size, sections in sizes.items()
            for section, rows in sections.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UserError(f"claims: {path} cannot be read: {error}") from error


def _checked(section: str) -> str:
    """Return the name of a section. Raises ValueError unless it is one that `section_of` gives."""
    ids = section.removeprefix(f"{STAND_IN} ").split(", ") if SECTION.fullmatch(section) else []
    if not ids or (section != REAL and ids != sorted(set(ids))):
        raise ValueError(f'section {section!r} should be "{REAL}" or "{STAND_IN} ID, ID", the ids sorted; delete it')
    return section


def write_expected(expected: Sections, path: Path) -> None:
    """Write the accepted verdicts as TOML: a section per config and combination of stand-ins, the empty ones left
    out."""
    sections = []
    for (size, section), rows in sorted((key, rows) for key, rows in expected.items() if rows):
        lines = [f"[{size}.{section if section == REAL else _quoted(section)}]"]
        for name, row in rows.items():
            values = ", ".join(f"{key} = {_quoted(value)}" for key, value in vars(row).items())
            lines.append(f"{_quoted(name)} = {{ {values} }}")
        sections.append("\n".join(lines) + "\n")
    write_text(path, HEAD + "\n" + "\n".join(sections))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def merged(expected: Sections, size: str, rows: Sequence[Verdict]) -> dict[Key, dict[str, Accepted]]:
    """File each row of a run in its section; a row of that name there is replaced, and the other sections keep theirs.

    A row that the run's ledgers lack, or that its config leaves out, is in no section of that size any more. Rows stand
    in the order of the ledger.
    """
    ran = {name_of(row): row for row in rows if row.verdict != NOT_YET_RUN}
    sections = {key: dict(named) for key, named in expected.items()}
    for name, row in ran.items():
        sections.setdefault((size, section_of(row)), {})[name] = accepted(row)
    return {
        key: {name: named[name] for name in ran if name in named} if key[0] == size else named
        for key, named in sections.items()
    }


def dropped(before: Sections, after: Sections) -> dict[Key, list[str]]:
    """Names of the rows that are no longer in their section, by section."""
    lost = {key: [name for name in named if name not in after.get(key, {})] for key, named in before.items()}
    return {key: names for key, names in lost.items() if names}


def compare(rows: Sequence[Verdict], size: str, expected: Sections) -> Comparison:
    """Compare each row of a run with the one accepted for the same size and the same stand-ins."""
    sections = {section: named for (of, section), named in sorted(expected.items()) if of == size}
    failures, warnings, unaccepted, unchanged = [], [], dict[str, list[str]](), 0
    for row in rows:
        name, now, before = name_of(row), accepted(row).verdict, _counterpart(row, sections)
        moved = f"{name}: was {before}, is {now}. {row.reason}"
        if now == before:
            unchanged += 1
        elif before is None:
            if now != NOT_YET_RUN:
                unaccepted.setdefault(section_of(row), []).append(name)
        elif not row.deterministic:
            warnings.append(f"{moved} (rests on timings)")
        elif row.near_bound:
            warnings.append(f"{moved} (within numerical tolerance of a bound)")
        else:
            failures.append(moved)
    judged = {name_of(row) for row in rows}
    gone = {name: row for named in sections.values() for name, row in named.items() if name not in judged}
    failures += [f"{name}: was {row.verdict}, is no longer in the ledger" for name, row in gone.items()]
    return Comparison(failures, warnings, unaccepted, unchanged)


def _counterpart(row: Verdict, sections: Mapping[str, Mapping[str, Accepted]]) -> str | None:
    """Return the accepted verdict to compare a row with, if there is one.

    A row that was not run has no inputs that name its section, so the first section that has the row counts.
    """
    searched = sections if row.verdict == NOT_YET_RUN else [section_of(row)]
    verdicts = (
        sections[section][name_of(row)].verdict for section in searched if name_of(row) in sections.get(section, {})
    )
    return next(verdicts, None)


def nothing_to_compare(section: str, names: Sequence[str]) -> str:
    """Say in one line which rows of a run have no accepted counterpart. section: theirs, which lacks them."""
    if len(names) == 1:
        return f"{names[0]} rests on {ground_of(section)}, and no such verdict is accepted"
    return f"{len(names)} rows rest on {ground_of(section)}, and no such verdicts are accepted: {', '.join(names)}"


def ground_of(section: str) -> str:
    """Say what the rows of a section rest on."""
    return "no stand-in" if section == REAL else f"stand-ins for {section.removeprefix(f'{STAND_IN} ')}"
