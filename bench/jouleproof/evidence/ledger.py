"""Claims: source, range that counts as agreement, and the query that answers them."""

import math
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    model_validator,
)

from jouleproof.errors import UserError, duplicates
from jouleproof.evidence.tables import TIERS
from jouleproof.knobs import complaints

UNVERSIONED = "-"


def _given(number: float) -> float:
    if number != number:
        raise ValueError("nan is not a number")
    return number


def _finite(number: float) -> float:
    if math.isinf(number):
        raise ValueError(f"{number} is not finite")
    return number


Number = Annotated[float, AfterValidator(_given)]  # infinite if a range is open
Finite = Annotated[Number, AfterValidator(_finite)]
Text = Annotated[str, Field(min_length=1)]
Level = str | bool | int | float


def _levels(given: Any) -> Any:
    levels = given if isinstance(given, list) else [given]
    usable = [isinstance(level, str | int) or (isinstance(level, float) and math.isfinite(level)) for level in levels]
    if not levels or not all(usable):
        raise ValueError("a level is a text, a finite number, true or false; several of them are a list")
    if repeated := duplicates(map(str, levels)):
        raise ValueError(f"duplicate level {', '.join(repeated)}")
    return given


def _pair(bounds: Any) -> Any:
    """A TOML array as the tuple that a strict model asks for."""
    return tuple(bounds) if isinstance(bounds, list) else bounds


class Query(BaseModel):
    """The rows of a result that answer a claim, and how they are reduced to one number.

    table: `<study>/<experiment>`. metric, where: which rows; a list of levels matches any of them.
    weight: the column that weights a row in the mean; by default, all rows count equally.
    across: columns over whose levels the mean is taken. Any other column that `where` and `by` do not name must have
    one level, or one for each repeat and seed.
    best, by: the estimate is the smallest or largest of the means at each level of column `by`.
    bound: "lower" if the number covers only a part of what is claimed, so that the whole can only be larger: such
    evidence can refute an upper limit but never confirm it.
    rows: "units" that were measured, whose mean is the number, or "draws" of an uncertain number, whose median it is.
    times: factor from the rows' unit to the claim's.
    label: describes the number in the verdict's reason. units: the noun for a row, such as "questions", used to count
    them in the reason.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    table: Annotated[str, Field(pattern=r"^[a-z_]+/[a-z0-9_]+$")]
    metric: Text
    label: Text
    where: Mapping[str, Annotated[Level | list[Level], PlainValidator(_levels)]] = {}
    units: Text | None = None
    weight: str | None = None
    across: list[str] = []
    best: Literal["min", "max"] | None = None
    by: str | None = None
    bound: Literal["lower"] | None = None
    rows: Literal["units", "draws"] = "units"
    times: Annotated[Finite, Field(gt=0)] = 1.0

    @model_validator(mode="after")
    def _best_and_by(self) -> "Query":
        if (self.best is None) != (self.by is None):
            raise ValueError("best and by must be set together")
        return self

    @property
    def columns(self) -> list[str]:
        """Columns that the query names."""
        return [*self.where, *self.across, *filter(None, (self.weight, self.by))]


class Claim(BaseModel):
    """One row of the ledger.

    accept: the closed interval in which the estimate agrees with the source. null: the value that means no effect, if
    there is one. tier: the best evidence that the row can reach. query: by version; empty if no study answers the row
    yet.
    against: partial evidence (bound = "lower") on a harder case than the query's. If it contradicts the claim, it
    decides the row, and the query's answer joins the context: an easy case does not outweigh it.
    context: further results that the reason reports and the verdict does not depend on. flags: limits to be shown.
    untestable: why this machine cannot answer the row, if that is known before anything runs; the verdict then says
    so. settled_by: what would decide the row if it is inconclusive. tolerance: how far an end of the interval may
    differ between machines, in the row's unit, if that is more than the last digits.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z0-9_]+(\.[a-z0-9_]+)?$")]
    area: str
    says: str
    source: str
    unit: Text
    accept: Annotated[tuple[Number, Number], BeforeValidator(_pair)]
    tier: str
    published: Finite | None = None
    null: Finite | None = None
    versions: Annotated[list[str], Field(min_length=1)] = [UNVERSIONED]
    range_changed_because: str | None = None
    query: Mapping[str, Query] = {}
    against: Query | None = None
    context: list[Query] = []
    flags: list[str] = []
    untestable: str | None = None
    settled_by: str | None = None
    tolerance: Annotated[Finite, Field(ge=0)] = 0.0
    figure: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "Claim":
        low, high = self.accept
        if not low <= high:
            raise ValueError(f"accept=[{low}, {high}] is empty")
        if low == math.inf or high == -math.inf:
            raise ValueError(f"accept=[{low}, {high}] holds no number")
        if self.published is not None and not low <= self.published <= high:
            raise ValueError(
                f"published={self.published} lies outside accept=[{low}, {high}]; both are in {self.unit!r}"
            )
        if self.tier not in TIERS:
            raise ValueError(f"tier={self.tier} is not one of {', '.join(TIERS)}")
        if self.null is not None and low < self.null < high:
            raise ValueError(f"null={self.null} lies inside accept=[{low}, {high}]")
        if self.against and self.against.bound != "lower":
            raise ValueError('against must have bound="lower": it can refute the claim but not confirm it')
        if self.untestable and self.query:
            raise ValueError("a row cannot have both a query and untestable")
        if set(self.query) - set(self.versions):
            raise ValueError(f"query has unknown versions {sorted(set(self.query) - set(self.versions))}")
        if repeated := duplicates(self.versions):
            raise ValueError(f"versions names {', '.join(repeated)} twice")
        return self

    @property
    def queries(self) -> dict[str, Query]:
        """All queries, by the key under which they are in the ledger."""
        return {
            **{f"query.{version}": query for version, query in self.query.items()},
            **({"against": self.against} if self.against else {}),
            **{f"context[{number}]": query for number, query in enumerate(self.context)},
        }


def read_ledgers(paths: Sequence[Path]) -> list[Claim]:
    """Read the claims of several ledgers. Raises UserError as `read_ledger` does, and if two claims share an id."""
    claims = [claim for path in paths for claim in read_ledger(path)]
    _refuse_duplicates(", ".join(map(str, paths)), claims)
    return claims


def read_ledger(path: Path) -> list[Claim]:
    """Read the claims of a ledger, in the order of the file. Raises UserError on an invalid row or a duplicate id."""
    try:
        rows: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["claim"]
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ValueError("its rows must begin with [[claim]]")
    except (OSError, ValueError, KeyError, RecursionError) as error:
        raise UserError(f"claims: {path} cannot be read: {' '.join(str(error).split()):.300}") from error
    claims = []
    for row in rows:
        try:
            claims.append(Claim.model_validate(row))
        except ValidationError as error:
            where = f"claims: {path}: {row.get('id', 'a row without id')!s:.80}"
            raise UserError("\n".join(f"{where}: {line}" for line in complaints(error, Claim, what="key"))) from error
    _refuse_duplicates(str(path), claims)
    return claims


def _refuse_duplicates(where: str, claims: Sequence[Claim]) -> None:
    if repeated := duplicates(claim.id for claim in claims):
        raise UserError(f"claims: {where}: duplicate id {', '.join(map(repr, repeated))}")
