"""Sections of README and docs that `make accept` writes from the accepted verdicts and from result tables."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tabulate import tabulate

from jouleproof.errors import UserError
from jouleproof.evidence.digits import number, span
from jouleproof.evidence.expected import Accepted
from jouleproof.evidence.ledger import UNVERSIONED, Claim
from jouleproof.evidence.show import HEADERS

DECIDED = ("reproduced", "partly", "not reproduced", "inconclusive")
EXAMPLES = (
    "mx.fetches.matvec_mxfp4",
    "phase_split.interference",
    "placement.oversubscription",
    "slm_energy.phi3_larger",
)
RESULT_TABLE = re.compile(
    r"(<!-- table (?P<name>[a-z_/]+): written by `make accept` -->\n).*?(?=<!-- end of table -->)", re.DOTALL
)


def replaced(page: str, name: str, text: str) -> str:
    """Replace the text between two marks in a page. name: of the marks. Raises UserError if the marks are missing."""
    begin, end = f"<!-- {name}: written by `make accept` -->", f"<!-- end of {name} -->"
    head, begun, rest = page.partition(begin)
    _, ended, tail = rest.partition(end)
    if not begun or not ended:
        raise UserError(f"claims: the page has no {begin} … {end}; put both lines back where the {name} should be")
    return f"{head}{begin}\n\n{text}\n\n{end}{tail}"


def areas(claims: Sequence[Claim], accepted: Mapping[str, Accepted], titles: Mapping[str, str]) -> str:
    """Markdown table of how many verdicts of each kind every area has, with a total."""
    counts = {area: Counter(row.verdict for _, row in _answered(claims, accepted, area)) for area in titles}
    rows = {**{titles[area]: counts[area] for area in titles}, "all": sum(counts.values(), Counter[str]())}
    head = ["area", "verdicts", *DECIDED, "cited or not testable"]
    return _markdown([head, *([title, *map(str, _cells(count))] for title, count in rows.items())])


def _cells(count: Counter[str]) -> list[int]:
    decided = [count[verdict] for verdict in DECIDED]
    return [count.total(), *decided, count.total() - sum(decided)]


def examples(claims: Sequence[Claim], accepted: Mapping[str, Accepted], ids: Sequence[str] = EXAMPLES) -> str:
    """Text block of the lines that `jouleproof claims show` prints for some claims."""
    cells = []
    for claim in claims:
        row = accepted.get(claim.id)
        if row and claim.id in ids:
            cells.append((claim.id, span(*claim.accept), row.estimate, row.interval, row.verdict, row.tier))
    return f"```text\n{tabulate(cells, HEADERS, tablefmt='simple', disable_numparse=True)}\n```"


def verdicts(claims: Sequence[Claim], accepted: Mapping[str, Accepted], titles: Mapping[str, str]) -> str:
    """Markdown tables of the accepted verdicts, one per area, whose rows refer to a numbered list of limits."""
    limits: dict[str, int] = {}
    sections: list[str] = []
    for area, title in titles.items():
        rows = [_row(claim, version, row, limits) for (claim, version), row in _answered(claims, accepted, area)]
        head = ["claim", "published", "counts as agreement", "here, 95 % interval", "verdict", "evidence", "limits"]
        waiting = sum(len(claim.versions) for claim in claims if claim.area == area) - len(rows)
        sections += [f"### {title[:1].upper()}{title[1:]}", _markdown([head, *rows]) if rows else ""]
        sections += [f"Not yet run: {waiting}."] if waiting else []
    sections += ["### Limits", "\n".join(f"{number}. {limit}" for limit, number in limits.items())]
    return "\n\n".join(filter(None, sections))


def _answered(
    claims: Sequence[Claim], accepted: Mapping[str, Accepted], area: str
) -> Iterator[tuple[tuple[Claim, str], Accepted]]:
    for claim in claims:
        for version in claim.versions if claim.area == area else ():
            row = accepted.get(claim.id + ("" if version == UNVERSIONED else f" ({version})"))
            if row:
                yield (claim, version), row


def _row(claim: Claim, version: str, row: Accepted, limits: dict[str, int]) -> list[str]:
    """Format a row of the table. limits: the number of each limit so far, to which those of this claim are added."""
    numbers = [limits.setdefault(limit, len(limits) + 1) for limit in claim.flags]
    name = f"`{claim.id}`" + ("" if version == UNVERSIONED else f" ({version})")
    return [
        f"{name} {claim.says}" if version == claim.versions[0] else name,
        "a direction" if claim.published is None else number(claim.published),
        f"{span(*claim.accept)} {claim.unit}",
        f"{row.estimate} {row.interval}".strip(),
        f"**{row.verdict}**",
        row.tier,
        ", ".join(map(str, numbers)),
    ]


def _markdown(rows: Iterable[Sequence[str]]) -> str:
    head, *rest = rows
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *rest])


def result_tables(page: str, folder: Path) -> str:
    """Replace every `table <study>/<table>` that a page marks by the CSV file of that name below `folder`.

    Raises UserError if one does not exist.
    """

    def with_table(match: re.Match[str]) -> str:
        path = folder / f"{match['name']}.csv"
        try:
            rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
        except (OSError, ValueError) as error:
            raise UserError(f"claims: {path}, which a page shows, cannot be read ({error})") from error
        return f"{match[1]}\n{_markdown(rows)}\n\n"

    return RESULT_TABLE.sub(with_table, page)
