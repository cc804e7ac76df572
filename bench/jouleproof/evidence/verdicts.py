"""Judge the claims of a ledger by the tables of a run."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from jouleproof.errors import UserError, system_reason
from jouleproof.evidence import tables
from jouleproof.evidence.digits import number, span
from jouleproof.evidence.estimates import LeftOutError, answer, listed, table_path
from jouleproof.evidence.intervals import Estimate
from jouleproof.evidence.ledger import UNVERSIONED, Claim, Query
from jouleproof.evidence.provenance import origins_of, read_provenance, stand_ins_in
from jouleproof.files import write_text

REPRODUCED, PARTLY, NOT_REPRODUCED, INCONCLUSIVE = "reproduced", "partly", "not reproduced", "inconclusive"
CITED, NOT_TESTABLE, NOT_YET_RUN = "cited", "not testable here", "not yet run"
SUPPORTS, CONTRADICTS, MIXED = "supports", "contradicts", "mixed"  # relation of a citation to the claim
VERDICTS = (REPRODUCED, PARTLY, NOT_REPRODUCED, INCONCLUSIVE, CITED, NOT_TESTABLE, NOT_YET_RUN)

STAND_IN_MARK = "†"  # after a verdict that rests on a stand-in
BOUND_TOLERANCE = 1e-4  # relative difference of floats between machines


@dataclass(frozen=True)
class Verdict:
    """One row of results/verdicts.json. accept: None for an open side. version: "-" if there is only one.

    inputs: id to origin. flags: limits of the verdict. deterministic: whether another run gives the same numbers.
    near_bound: whether an interval that counts ends within numerical tolerance of a bound of accept or of null.
    reading: for a cited row, whether all of the published numbers lie in the claim's range, none, or some.
    """

    id: str
    area: str
    version: str
    says: str
    source: str
    published: float | None
    accept: tuple[float | None, float | None]
    unit: str
    verdict: str
    tier: str
    reason: str
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    figure: str | None = None
    deterministic: bool = True
    near_bound: bool = False
    reading: str | None = None


def judge(estimate: Estimate, claim: Claim, bound: str | None = None) -> str:
    """Judge an interval, as docs/verdicts.md defines it.

    bound: "lower" if the estimate is only a part of what is claimed (see Query); its interval then has no upper end.
    """
    low, high = claim.accept
    if bound == "lower":
        estimate = replace(estimate, high=math.inf)
    if estimate.high < low or estimate.low > high:
        return PARTLY if _on_claimed_side(estimate, claim) else NOT_REPRODUCED
    if low <= estimate.low and estimate.high <= high:
        return REPRODUCED
    return INCONCLUSIVE


def read_citations(estimate: Estimate, claim: Claim) -> str:
    """Whether published numbers, from the lowest to the highest, support a claim, contradict it, or do both."""
    decided = judge(estimate, claim)
    return {REPRODUCED: SUPPORTS, INCONCLUSIVE: MIXED}.get(decided, CONTRADICTS)


def _on_claimed_side(estimate: Estimate, claim: Claim) -> bool:
    if claim.null is None:
        return False
    return estimate.low > claim.null if claim.accept[0] >= claim.null else estimate.high < claim.null


def verdicts(claims: list[Claim], folder: Path, limits: Sequence[str] = ()) -> list[Verdict]:
    """Judge every claim and version by the tables below `folder`. limits: those of the whole run, flagged on every
    row."""
    return [verdict(claim, version, folder, limits) for claim in claims for version in claim.versions]


def verdict(claim: Claim, version: str, folder: Path, limits: Sequence[str] = ()) -> Verdict:
    """Judge one claim. Raises UserError if the result lacks the rows that the query names."""
    if claim.untestable:
        flags = (*claim.flags, *limits)
        return _row(claim, version, NOT_TESTABLE, claim.tier, claim.untestable, flags=flags, figure=claim.figure)
    query, context, harder = _evidence(claim, version, folder)
    if query is None:
        return _row(claim, version, NOT_YET_RUN, claim.tier, "No result answers this claim yet.")
    if not table_path(query, folder).exists():
        others = listed(path.stem for path in table_path(query, folder).parent.glob("*.parquet")) or "none"
        why = f"This run has no table {query.table}; of that study, it has {others}."
        return _row(claim, version, NOT_YET_RUN, claim.tier, why)
    try:
        estimate, tier, units = answer(query, folder)
    except LeftOutError as error:
        return _row(claim, version, NOT_YET_RUN, claim.tier, f"{error}; {error.hint}")
    decided = CITED if tier == tables.CITED else judge(estimate, claim, query.bound)
    reason = [_reason(decided, estimate, claim, query, units)]
    if decided == REPRODUCED and harder and judge(harder, claim) != REPRODUCED:
        decided = INCONCLUSIVE
        reason.append(
            "The harder case that follows does not lie wholly in the range, so this easier one does not decide."
        )
    context = [other for other in context if table_path(other, folder).exists()]
    reason += [_context(other, folder) for other in context]
    if decided == INCONCLUSIVE and claim.settled_by:
        reason.append(f"To be settled by {claim.settled_by}.")
    provenance = read_provenance(table_path(query, folder))
    inputs = origins_of(table_path(source, folder) for source in (query, *context))
    return _row(
        claim,
        version,
        decided,
        tier,
        " ".join(reason),
        estimate=estimate.value,
        low=estimate.low,
        high=estimate.high,
        inputs=inputs,
        flags=(
            *claim.flags,
            *limits,
            *(f"{name} is a stand-in" for name in stand_ins_in(inputs)),
            *_timed_on(estimate, provenance),
        ),
        figure=claim.figure,
        deterministic=not provenance["timed"],
        reading=read_citations(estimate, claim) if decided == CITED else None,
        near_bound=_near_bound(claim, estimate.low, estimate.high, *([harder.low] if harder else [])),
    )


def _evidence(claim: Claim, version: str, folder: Path) -> tuple[Query | None, list[Query], Estimate | None]:
    """Select the query that decides, the queries that are reported with it, and the answer on the harder case, if
    this run has one.

    The harder case decides if it contradicts the claim: an easy one does not outweigh it.
    """
    query, against = claim.query.get(version), claim.against
    if query is None or against is None:
        return query, claim.context, None
    harder = _answered(against, folder)
    if harder and judge(harder, claim, against.bound) in (NOT_REPRODUCED, PARTLY):
        query, against = against, query
    return query, [against, *claim.context], harder


def _timed_on(estimate: Estimate, provenance: Mapping[str, Any]) -> list[str]:
    """Flag timings that were taken under load, or on fewer cores than the machine's. A count among timings is not
    flagged, since neither affects it."""
    if not provenance["timed"] or estimate.low == estimate.high:
        return []
    machine = provenance.get("machine", {})
    threads, usable = machine.get("threads"), machine.get("usable_threads")
    few = [f"timed on {usable} of the machine's {threads} hardware threads"] if usable and usable < threads else []
    return [*few, *(["the machine was busy"] if provenance["contention"]["busy"] else [])]


def _near_bound(claim: Claim, *ends: float) -> bool:
    """Whether an end of an interval lies within numerical tolerance of a bound, but not on it."""
    return any(
        math.isclose(end, limit, rel_tol=BOUND_TOLERANCE, abs_tol=claim.tolerance) and end != limit
        for end in ends
        for limit in (*claim.accept, claim.null)
        if limit is not None
    )


def _answered(query: Query, folder: Path) -> Estimate | None:
    """Answer a query; None if this run does not have the result."""
    try:
        return answer(query, folder)[0] if table_path(query, folder).exists() else None
    except LeftOutError:
        return None


def _row(claim: Claim, version: str, decided: str, tier: str, reason: str, **measured: Any) -> Verdict:
    low, high = (bound if math.isfinite(bound) else None for bound in claim.accept)
    return Verdict(
        id=claim.id,
        area=claim.area,
        version=version,
        says=claim.says,
        source=claim.source,
        published=claim.published,
        accept=(low, high),
        unit=claim.unit,
        verdict=decided,
        tier=tier,
        reason=reason,
        **measured,
    )


def _reason(decided: str, estimate: Estimate, claim: Claim, query: Query, units: int) -> str:
    interval, accept = span(estimate.low, estimate.high), span(*claim.accept)
    cited = {SUPPORTS: "lies in", CONTRADICTS: "lies outside", MIXED: "straddles a bound of"}
    where = {
        CITED: f"was published, not run; it {cited[read_citations(estimate, claim)]}",
        REPRODUCED: "lies in",
        PARTLY: "lies outside",
        NOT_REPRODUCED: "lies outside",
        INCONCLUSIVE: "straddles a bound of",
    }[decided]
    if decided == INCONCLUSIVE and query.bound:
        return f"{_label(query, units)}: {interval} covers only a part of what is claimed and does not exceed {accept}."
    side = {PARTLY: ", on the claimed side of no effect", NOT_REPRODUCED: ""}.get(decided, "")
    return f"{_label(query, units)}: {interval} {where} {accept}{side}."


def _label(query: Query, units: int) -> str:
    return query.label if query.units is None else f"{query.label} ({units} {query.units})"


def _context(query: Query, folder: Path) -> str:
    try:
        estimate, _, units = answer(query, folder)
    except LeftOutError as error:
        return f"{query.label}: {error}."
    return f"{_label(query, units)}: {number(estimate.value)} {span(estimate.low, estimate.high)}."


def write_verdicts(rows: list[Verdict], path: Path) -> None:
    """Write the verdicts as a JSON list of objects."""
    write_text(path, json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_verdicts(path: Path) -> list[Verdict]:
    """Read verdicts. Raises UserError if the file is absent or does not have the format of `write_verdicts`."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return [Verdict(**{**row, "accept": tuple(row["accept"]), "flags": tuple(row["flags"])}) for row in rows]
    except FileNotFoundError:
        raise UserError(f"claims: {path} does not exist; run `snakemake` first") from None
    except OSError as error:
        raise UserError(f"claims: {path} cannot be read ({system_reason(error)})") from error
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"claims: {path} is damaged ({error}); delete it and run `snakemake` again") from error


def verdict_in_words(row: Verdict) -> str:
    """The verdict, followed by the reading of a cited row."""
    return f"{row.verdict}: {row.reading}" if row.reading else row.verdict


def version_suffix(row: Verdict) -> str:
    return "" if row.version == UNVERSIONED else f" ({row.version})"
