"""The verdict table, as a terminal shows it."""

from collections import Counter

from tabulate import tabulate

from jouleproof.evidence.digits import number, span
from jouleproof.evidence.expected import name_of
from jouleproof.evidence.provenance import stand_ins_in
from jouleproof.evidence.verdicts import NOT_YET_RUN, STAND_IN_MARK, Verdict, verdict_in_words

HEADERS = ("claim", "accepted", "estimate", "95 % interval", "verdict", "tier")


def terminal(rows: list[Verdict]) -> str:
    """Format aligned columns, one line per row that a result answers, and a count of the others."""
    cells = [
        (
            name_of(row),
            span(*row.accept),
            "" if row.estimate is None else f"{number(row.estimate)} {row.unit}",
            "" if row.estimate is None else span(row.low, row.high),
            verdict_in_words(row) + (f" {STAND_IN_MARK}" if stand_ins_in(row.inputs) else ""),
            row.tier,
        )
        for row in rows
        if row.verdict != NOT_YET_RUN
    ]
    lines = [tabulate(cells, HEADERS, tablefmt="simple", disable_numparse=True)]
    ran = [set(row.flags) for row in rows if row.verdict != NOT_YET_RUN]
    shared = set.intersection(*ran) if ran else set()
    marked = any(stand_ins_in(row.inputs) for row in rows)
    flags = [f"{STAND_IN_MARK} rests on a stand-in"] if marked else []
    flags += sorted(shared | {flag for of_row in ran for flag in of_row if flag.endswith("is a stand-in")})
    waiting = Counter(row.area for row in rows if row.verdict == NOT_YET_RUN)
    if waiting:
        lines += ["", f"not yet run: {', '.join(f'{count} in {area}' for area, count in waiting.items())}"]
    return "\n".join([*lines, *(f"note: {flag}" for flag in flags)])
