"""The verdict table, as a terminal and as README show it."""

import csv
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from jouleproof.errors import UserError
from jouleproof.evidence.digits import number, span
from jouleproof.evidence.expected import Accepted, name_of
from jouleproof.evidence.ledger import UNVERSIONED, Claim
from jouleproof.evidence.verdicts import NOT_YET_RUN, Verdict, verdict_in_words

BEGIN, END = "<!-- verdicts: written by `make accept` -->", "<!-- end of verdicts -->"
TABLE = re.compile(
    r"(<!-- table (?P<name>[a-z_/]+): written by `make accept` -->\n).*?(?=<!-- end of table -->)", re.DOTALL
)


def terminal(rows: list[Verdict]) -> str:
    """Aligned columns, one line per row that a result answers, and a count of the others."""
    table = [("claim", "accepted", "estimate", "95 % interval", "verdict", "tier")]
    table += [
        (
            name_of(row),
            span(*row.accept),
            "" if row.estimate is None else f"{number(row.estimate)} {row.unit}",
            "" if row.estimate is None else span(row.low, row.high),
            verdict_in_words(row),
            row.tier,
        )
        for row in rows
        if row.verdict != NOT_YET_RUN
    ]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table]
    lines.insert(1, "  ".join("-" * width for width in widths))
    ran = [set(row.flags) for row in rows if row.verdict != NOT_YET_RUN]
    shared = set.intersection(*ran) if ran else set()
    flags = sorted(shared | {flag for of_row in ran for flag in of_row if flag.endswith("is a stand-in")})
    waiting = Counter(row.area for row in rows if row.verdict == NOT_YET_RUN)
    if waiting:
        lines += ["", f"not yet run: {', '.join(f'{count} in {area}' for area, count in waiting.items())}"]
    return "\n".join([*lines, *(f"note: {flag}" for flag in flags)])


def markdown(claims: list[Claim], expected: Mapping[str, Accepted]) -> str:
    """README's table: what was accepted for the default config with real inputs."""
    lines = ["| claim | published | counts as agreement | here, 95 % interval | verdict | evidence |", "|" + "---|" * 6]
    waiting: Counter[str] = Counter()
    for claim in claims:
        for version in claim.versions:
            suffix = "" if version == UNVERSIONED else f" ({version})"
            row = expected.get(claim.id + suffix)
            if row is None:
                waiting[claim.area] += 1
                continue
            limit = f" *Limit: {'; '.join(claim.flags)}.*" if claim.flags else ""
            published = "a direction" if claim.published is None else number(claim.published)
            cells = (
                f"`{claim.id}`{suffix} {claim.says}{limit}",
                published,
                f"{span(*claim.accept)} {claim.unit}",
                f"{row.estimate} {row.interval}".strip(),
                f"**{row.verdict}**",
                row.tier,
            )
            lines.append(f"| {' | '.join(cells)} |")
    if waiting:
        areas = ", ".join(f"{count} in `{area}`" for area, count in waiting.items())
        lines += ["", f"Not yet run: {sum(waiting.values())} rows ({areas})."]
    return "\n".join([BEGIN, "", *lines, "", END])


def replace_table(readme: str, table: str) -> str:
    """README with its table replaced. Raises UserError where the marks are gone."""
    head, begin, rest = readme.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise UserError(f"README.md has no {BEGIN} … {END}; put both lines back where the table belongs")
    return head + table + tail


def replace_result_tables(readme: str, folder: Path) -> str:
    """README with every `table <study>/<table>` that it marks made anew from the CSV files below `folder`.

    Raises UserError where one is not there.
    """

    def made(match: re.Match[str]) -> str:
        path = folder / f"{match['name']}.csv"
        try:
            head, *rows = csv.reader(path.read_text(encoding="utf-8").splitlines())
        except (OSError, ValueError) as error:
            raise UserError(f"claims: README.md shows {path}, which cannot be read ({error})") from error
        lines = [head, ["---"] * len(head), *rows]
        return match[1] + "\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n\n"

    return TABLE.sub(made, readme)
