"""Rows of result tables that hold repeated values, or an estimate with its interval."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jouleproof.evidence.intervals import Estimate


def repeat_rows(factors: Mapping[str, Any], values: Iterable[float]) -> Iterator[dict[str, Any]]:
    """Yield a row for each value, numbered by `repeat`."""
    for repeat, value in enumerate(values):
        yield {**factors, "repeat": repeat, "value": float(value)}


def interval_rows(factors: Mapping[str, Any], metric: str, estimate: Estimate) -> Iterator[dict[str, Any]]:
    """Yield three rows: the metric, and the ends of its interval under its name with _low and _high."""
    for end, value in (("", estimate.value), ("_low", estimate.low), ("_high", estimate.high)):
        yield {**factors, "metric": f"{metric}{end}", "value": value}
