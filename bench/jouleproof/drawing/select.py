"""Select the rows of a table that a figure shows."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeVar

import pandas as pd

from jouleproof.drawing.style import ordered_formats

DECIDING_REQUESTS, DECIDING_PROTOCOL = 64, "8-shot CoT"
Level = TypeVar("Level")
PROFILED_MODEL, PROFILED_ACCELERATORS = "bloom-176b", 8


def where(table: pd.DataFrame, **levels: Any) -> pd.DataFrame:
    """Select rows that have this level in every named column, or one of the levels of a list, tuple or set."""
    for column, level in levels.items():
        several = isinstance(level, Collection) and not isinstance(level, str)
        table = table[table[column].isin(level) if several else table[column] == level]
    return table


def unique(values: Iterable[Any]) -> list[Any]:
    """Values without repetition, in the order of their first occurrence."""
    return list(dict.fromkeys(values))


def under_one_rule(table: pd.DataFrame) -> pd.DataFrame:
    """Select rows under the floor rule (or the first rule if floor is absent), and those that no rule applies to."""
    return table[table["scale"].isin([preferred([rule for rule in table["scale"] if rule != "none"], "floor"), "none"])]


def rules_of_all(table: pd.DataFrame) -> list[str]:
    """Scale rules under which every format was cast, in the order of the table."""
    formats = table[table["scale"] != "none"].groupby("scale", sort=False)["format"].nunique()
    return [str(rule) for rule in formats.index[formats == formats.max()]]


def by_format_and_rule(table: pd.DataFrame) -> list[tuple[str, str]]:
    """Every (format, scale rule) of the table, with rules in table order within formats in table order."""
    pairs = dict.fromkeys(zip(table["format"], table["scale"], strict=True))
    return [pair for name in ordered_formats(table["format"]) for pair in pairs if pair[0] == name]


def deciding_cast(table: pd.DataFrame) -> pd.DataFrame:
    """Select the rows that can decide a claim about a model that was cast in several ways: activations alone if its
    weights were rounded before, weights and activations otherwise; rows of the first cast if the deciding one was not
    made."""
    cast = table[table["subject"] != "none"]
    subject = "both" if table["rounded"].iloc[0] == "no" else "activations"
    return where(cast, subject=preferred(list(cast["subject"]), subject))


def deciding_answers(answers: pd.DataFrame) -> tuple[int, str]:
    """Concurrent requests and protocol of the ledger's claims, or the first in the table."""
    limits = sorted(set(where(answers, metric="at_front")["limit"]))
    return (DECIDING_REQUESTS if DECIDING_REQUESTS in limits else limits[0]), DECIDING_PROTOCOL


def of_the_profiled_model(profile: pd.DataFrame) -> pd.DataFrame:
    """Select the rows of the model and the number of accelerators that the published profile measured on every
    machine."""
    return where(profile, model=PROFILED_MODEL, tensor_parallel=PROFILED_ACCELERATORS)


def preferred(levels: Sequence[Level], name: Level) -> Level:
    """Return the level `name` if it exists, else the first level."""
    return name if name in levels else levels[0]
