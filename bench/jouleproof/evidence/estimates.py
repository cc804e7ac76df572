"""Answer a query with one number: the weighted mean of the selected rows, with its interval and their tier."""

from collections.abc import Callable, Collection, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jouleproof.errors import UserError
from jouleproof.evidence import tables
from jouleproof.evidence.intervals import Estimate, draws_interval, mean_interval
from jouleproof.evidence.ledger import Query

MOST_LISTED = 12


class LeftOutError(Exception):
    """The result lacks a level that a query selects; the message says which, as `table has no column=level`.

    hint: the levels that it has, and what to do.
    """

    def __init__(self, query: Query, column: str, missing: Sequence[object], levels: Collection[object]) -> None:
        super().__init__(f"{query.table} has no {column}={', '.join(map(str, missing))}")
        near = closest(missing[0], levels)
        doubt = f" (did you mean {near}?)" if near else ""
        self.hint = f"it has {listed(levels)}. This run's config omits it, or the ledger misspells it{doubt}."


def closest(name: object, names: Iterable[object]) -> str | None:
    """The name that another one probably stands for, if there is one; numbers stand for themselves."""
    texts = [text for text in names if isinstance(text, str)]
    near = get_close_matches(name, texts, 1, 0.8) if isinstance(name, str) else []
    return near[0] if near else None


def listed(names: Iterable[Any]) -> str:
    """List names in order, the first few if there are many."""
    texts = [str(name) for name in sorted(set(names))]
    return ", ".join(texts if len(texts) <= MOST_LISTED else [*texts[:MOST_LISTED], f"{len(texts) - MOST_LISTED} more"])


def answer(query: Query, folder: Path) -> tuple[Estimate, str, int]:
    """Compute the number that a query asks for, with its interval, the tier of the selected rows, and their
    number at one level of `by`.

    Raises LeftOutError and UserError as `selected` does.
    """
    table = selected(query, tables.read(table_path(query, folder)))
    units = len(table) if query.by is None else int(table[query.by].value_counts().iloc[0])
    tier = str(table["tier"].iloc[0])
    table = table.assign(value=table["value"] * query.times)
    return published(table["value"]) if tier == tables.CITED else estimate_of(table, query), tier, units


def selected(query: Query, table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that a query selects.

    Raises LeftOutError if the result lacks a level that the query names, and UserError if it lacks a column or the rows
    mix tiers.
    """
    for column in query.columns:
        if column not in table:
            near = closest(column, table.columns)
            there = f"did you mean {near}?" if near else f"it has {', '.join(table.columns)}"
            raise UserError(f"claims: {query.table} has no column {column!r}; {there}")
    for column, levels in {"metric": query.metric, **query.where}.items():
        wanted = levels if isinstance(levels, list) else [levels]
        present = set(table[column])
        if missing := [level for level in wanted if level not in present]:
            raise LeftOutError(query, column, missing, present)
        table = table[table[column].isin(wanted)]
    if table["tier"].nunique() > 1:
        raise UserError(f"claims: {query.table}: rows of {query.metric!r} mix the tiers {sorted(set(table['tier']))}")
    return table


def published(values: "pd.Series[float]") -> Estimate:
    """Median of published numbers, with the lowest and the highest as its interval."""
    return Estimate(float(values.median()), float(values.min()), float(values.max()))


def estimate_of(table: pd.DataFrame, query: Query) -> Estimate:
    """Estimate from rows; those that differ in `by` alone are paired, so that a resample takes the same units at every
    level."""
    if query.by is None:
        return _interval([table["value"].to_numpy()], table, query, np.min)
    groups = [group.reset_index(drop=True) for _, group in table.groupby(query.by, sort=True)]
    units = [name for name in groups[0] if name not in ("value", query.by)]
    if any(not group[units].equals(groups[0][units]) for group in groups):
        raise UserError(f"claims: {query.table}: the rows at the levels of {query.by!r} cannot be paired")
    combine = {"min": np.min, "max": np.max}[query.best or "min"]
    return _interval([group["value"].to_numpy() for group in groups], groups[0], query, combine)


def _interval(
    samples: list[np.ndarray], table: pd.DataFrame, query: Query, combine: Callable[..., np.ndarray]
) -> Estimate:
    if query.rows == "draws":
        return draws_interval(samples, combine)
    weights = None if query.weight is None else table[query.weight].to_numpy()
    return mean_interval(samples, weights, combine)


def table_path(query: Query, folder: Path) -> Path:
    """Path of the query's table in the folder of results."""
    return folder / f"{query.table}.parquet"
