"""Formats of numbers and intervals, shared by all tables."""

import math

import numpy as np


def number(value: float) -> str:
    """Format four significant digits, without an exponent unless one is needed, and an open bound as a sign of
    infinity."""
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.3g}"
    return np.format_float_positional(float(f"{value:.4g}") + 0.0, trim="-")


def span(low: float | None, high: float | None) -> str:
    """Format a closed interval; None is an open side."""
    return f"[{number(-math.inf if low is None else low)}, {number(math.inf if high is None else high)}]"


def with_span(value: float | None, low: float | None, high: float | None) -> str:
    """Format an estimate with its interval; empty if there is no estimate."""
    return "" if value is None else f"{number(value)} {span(low, high)}"
