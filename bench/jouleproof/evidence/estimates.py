"""Answer a query with one number: the weighted mean of the selected rows, with its interval and their tier."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from jouleproof.errors import UserError
from jouleproof.evidence import tables
from jouleproof.evidence.intervals import Estimate, draws_interval, mean_interval
from jouleproof.evidence.ledger import Query


class LeftOutError(Exception):
    """The run's config omitted what a query selects; the message says what, as `column=level`."""


def answer(query: Query, folder: Path) -> tuple[Estimate, str, int]:
    """Compute the number that a query asks for, with its interval, the tier of the selected rows, and their
    number at one level of `by`.

    Raises LeftOutError if the result lacks a level that the query names, and UserError if it lacks a column, mixes
    tiers or cannot be read.
    """
    table = tables.read(table_path(query, folder))
    for column, levels in {"metric": query.metric, **query.where}.items():
        if column not in table:
            raise UserError(f"claims: {query.table} has no column {column!r}")
        wanted = levels if isinstance(levels, list) else [levels]
        missing = [level for level in wanted if level not in set(table[column])]
        if missing:
            raise LeftOutError(f"{column}={', '.join(map(str, missing))}")
        table = table[table[column].isin(wanted)]
    if table["tier"].nunique() > 1:
        raise UserError(f"claims: {query.table}: rows of {query.metric!r} mix the tiers {sorted(set(table['tier']))}")
    units = len(table) if query.by is None else int(table[query.by].value_counts().iloc[0])
    tier = str(table["tier"].iloc[0])
    table = table.assign(value=table["value"] * query.times)
    return published(table["value"]) if tier == tables.CITED else estimate_of(table, query), tier, units


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
