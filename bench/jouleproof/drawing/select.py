"""The part of a table that a picture shows where it cannot show all."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeVar

import pandas as pd

from jouleproof.drawing.style import ordered_formats

DECIDING_REQUESTS, DECIDING_PROTOCOL = 64, "8-shot CoT"
Level = TypeVar("Level")
PROFILED_MODEL, PROFILED_ACCELERATORS = "bloom-176b", 8


def where(table: pd.DataFrame, **levels: Any) -> pd.DataFrame:
    """Rows that have this level in every named column, or one of these levels where a list, tuple or set is given."""
    for column, level in levels.items():
        several = isinstance(level, Collection) and not isinstance(level, str)
        table = table[table[column].isin(level) if several else table[column] == level]
    return table


def unique(values: Iterable[Any]) -> list[Any]:
    """Each value once, in the order in which they first stand."""
    return list(dict.fromkeys(values))


def under_one_rule(table: pd.DataFrame) -> pd.DataFrame:
    """Rows under the floor rule (or under the first rule where floor was left out), and those that no rule touches."""
    return table[table["scale"].isin([preferred([rule for rule in table["scale"] if rule != "none"], "floor"), "none"])]


def rules_of_all(table: pd.DataFrame) -> list[str]:
    """Scale rules that every format was cast under, in the order of the table."""
    formats = table[table["scale"] != "none"].groupby("scale", sort=False)["format"].nunique()
    return [str(rule) for rule in formats.index[formats == formats.max()]]


def by_format_and_rule(table: pd.DataFrame) -> list[tuple[str, str]]:
    """Every (format, scale rule) of the table, rules in its order within the formats in theirs."""
    pairs = dict.fromkeys(zip(table["format"], table["scale"], strict=True))
    return [pair for name in ordered_formats(table["format"]) for pair in pairs if pair[0] == name]


def deciding_cast(table: pd.DataFrame) -> pd.DataFrame:
    """Of a model that was cast in several ways the rows that can decide something: activations alone where its weights
    were rounded before, weights and activations where not; those of the first cast where that was not made."""
    cast = table[table["subject"] != "none"]
    subject = "both" if table["rounded"].iloc[0] == "no" else "activations"
    return where(cast, subject=preferred(list(cast["subject"]), subject))


def deciding_answers(answers: pd.DataFrame) -> tuple[int, str]:
    """Requests at once and protocol of the ledger's claims, or the first that the table has."""
    limits = sorted(set(where(answers, metric="at_front")["limit"]))
    return (DECIDING_REQUESTS if DECIDING_REQUESTS in limits else limits[0]), DECIDING_PROTOCOL


def of_the_profiled_model(profile: pd.DataFrame) -> pd.DataFrame:
    """Rows of the model, on so many accelerators, that the published profile measured on every machine."""
    return where(profile, model=PROFILED_MODEL, tensor_parallel=PROFILED_ACCELERATORS)


def preferred(levels: Sequence[Level], name: Level) -> Level:
    """The level `name` where it is one, else the first of them."""
    return name if name in levels else levels[0]
