"""Checks of ledgers before any claim is judged: whether queries and figures fit the tables and figures that exist."""

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from jouleproof.errors import UserError
from jouleproof.evidence import tables
from jouleproof.evidence.estimates import LeftOutError, closest, listed, selected, table_path
from jouleproof.evidence.ledger import Claim, Level, Query, read_ledger
from jouleproof.evidence.units import factor, is_rate_of_the_same

REPEATED = ("repeat", "seed")  # columns over which every mean is taken


def check_figures(ledgers: Sequence[Path], figures: Path) -> None:
    """Raise UserError, with a line per mistake, if a claim names a figure that does not exist.

    figures: folder of the built-in studies' figures, which an installed package lacks; those are then not checked. The
    figures of a user's study are next to its ledger.
    """
    built_in = _figures_in(figures.glob("*/*.py"))
    mistakes = []
    for path in ledgers:
        for claim in read_ledger(path):
            beside = path.parent / "figures"
            names = [*built_in, *_figures_in(beside.glob("*.py"), claim.area)]
            complete = built_in or (beside.is_dir() and (claim.figure or "").startswith(f"{claim.area}/"))
            if complete and claim.figure and claim.figure not in names:
                what = f"{claim.figure!r} does not exist; {_instead(claim.figure, names)}"
                mistakes.append(f"claims: {path}: {claim.id}: figure: {what}")
    _refuse(mistakes)


def _figures_in(files: Iterable[Path], study: str = "") -> list[str]:
    """Names of figures. study: theirs, if it is not the name of their folder."""
    return [f"{study or path.parent.name}/{path.stem}" for path in sorted(files)]


def check_tables(ledgers: Sequence[Path], results: Path, built_in: Collection[Path]) -> None:
    """Raise UserError, with a line per mistake, if a claim does not fit the tables of a run.

    A config may leave out tables and levels, so that a claim is not yet run; it changes neither columns nor units. Nor
    does it change which metrics a user's study has. built_in: ledgers of studies whose metrics depend on the config.
    """
    read = cache(tables.read)
    _refuse(
        f"claims: {path}: {claim.id}: {key}: {mistake}"
        for path in ledgers
        for claim in read_ledger(path)
        for key, query in claim.queries.items()
        if table_path(query, results).exists()
        for mistake in _mistakes(claim, key, read(table_path(query, results)), path not in built_in)
    )


def _refuse(mistakes: Iterable[str]) -> None:
    if lines := list(mistakes):
        raise UserError("\n".join(lines))


def _instead(name: str, names: Iterable[str]) -> str:
    present = list(names)
    near = closest(name, present)
    return f"did you mean {near!r}?" if near else f"known: {listed(present) or 'none'}"


def _mistakes(claim: Claim, key: str, table: pd.DataFrame, complete: bool) -> Iterator[str]:
    """Yield what is wrong with a query. complete: whether a study's own table has all of its metrics."""
    query = claim.queries[key]
    if absent := [column for column in query.columns if column not in table]:
        factors = [column for column in table.columns if column not in tables.COLUMNS]
        yield f"{query.table} has no column {absent[0]!r}; {_instead(absent[0], factors)}"
        return
    metrics = set(table["metric"])
    if complete and query.metric not in metrics and query.table.startswith(f"{claim.area}/"):
        yield f"{query.table} has no metric {query.metric!r}; {_instead(query.metric, metrics)}"
        return
    yield from _of_wrong_kind(query, table)
    yield from _noun(query, table)
    try:
        rows = selected(query, table)
    except LeftOutError:
        return
    yield from _mixed(query, rows)
    if not key.startswith("context"):
        yield from _units(claim, query, rows)
        if tables.TIERS.index(rows["tier"].iloc[0]) < tables.TIERS.index(claim.tier):
            yield f"its rows are {rows['tier'].iloc[0]}, which is better than tier = {claim.tier!r}"


def _of_wrong_kind(query: Query, table: pd.DataFrame) -> Iterator[str]:
    """Yield levels that a column cannot hold, being of another type or misspelt, and weights that are not numbers of at
    least 0."""
    for column, levels in query.where.items():
        kind = _kind_of(table[column])
        for level in levels if isinstance(levels, list) else [levels]:
            if _kind(level) != kind:
                yield f"where.{column}: {level!r} is a {_kind(level)}, but {query.table} has {listed(table[column])}"
            elif right := next((text for text in set(table[column]) if _swapped(level, text)), None):
                yield f"where.{column}: {level!r} is not {right!r}"
    if query.weight and (_kind_of(table[query.weight]) != "number" or (table[query.weight] < 0).any()):
        yield f"weight: {query.weight!r} has {listed(table[query.weight])}, not numbers of at least 0"


def _kind(level: Level) -> str:
    if isinstance(level, bool):
        return "truth value"
    return "text" if isinstance(level, str) else "number"


def _kind_of(column: "pd.Series[float]") -> str:
    if is_bool_dtype(column):
        return "truth value"
    return "number" if is_numeric_dtype(column) else "text"


def _noun(query: Query, table: pd.DataFrame) -> Iterator[str]:
    """Yield the noun for a row if it is the plural of a column with a mistake."""
    for column in table.columns if query.units else ():
        plural = f"{column}s"
        shorter = [plural[:at] + plural[at + 1 :] for at in range(len(column))]
        if query.units in shorter or _swapped(query.units, plural):
            yield f"units: {query.units!r} is not {plural!r}"


def _swapped(given: object, right: object) -> bool:
    """Whether a text is another one with two neighbouring letters swapped."""
    if not (isinstance(given, str) and isinstance(right, str) and len(given) == len(right)):
        return False
    at = next((place for place, pair in enumerate(zip(given, right, strict=True)) if pair[0] != pair[1]), len(given))
    pair = right[at : at + 2]
    return pair.isalpha() and given == right[:at] + pair[::-1] + right[at + 2 :]


def _mixed(query: Query, rows: pd.DataFrame) -> Iterator[str]:
    """Yield columns in which the rows of a mean differ although neither `where` nor `across` names them."""
    named = list(dict.fromkeys([*query.where, *query.across, *filter(None, [query.by]), *REPEATED]))
    for column in rows.columns:
        if column not in (*tables.COLUMNS, *named) and rows.groupby(named)[column].nunique().max() > 1:
            yield (
                f"its rows mix {rows[column].nunique()} levels of {column!r} ({listed(rows[column])}); name one in "
                f"where, or {column!r} in across if the mean is over them"
            )
            return


def _units(claim: Claim, query: Query, rows: pd.DataFrame) -> Iterator[str]:
    """Yield the unit if the rows, times the query's factor, are not in the claim's."""
    if rows["unit"].nunique() > 1:
        yield f"its rows mix the units {listed(rows['unit'])}"
        return
    given = str(rows["unit"].iloc[0])
    wanted = factor(given, claim.unit)
    if wanted is None and (query.times == 1.0 or not is_rate_of_the_same(given, claim.unit)):
        yield f"unit = {claim.unit!r}, but {query.table} has {query.metric} in {given!r}; state the claim in {given!r}"
    elif wanted is not None and not math.isclose(query.times, wanted):
        yield (
            f"unit = {claim.unit!r} with times = {query.times:g}, but {query.table} has {query.metric} in {given!r}; "
            f"set times = {wanted:g}" + ("" if wanted == 1.0 else f", or state the claim in {given!r}")
        )
