"""Experiments of the toy study."""

from jouleproof.evidence.tables import tidy


def dice(config):
    """Return the sides of a die."""
    return tidy([{"value": config.sides}], metric="sides", unit="sides", tier="measured")


def read(gsm8k_test):
    """Count the problems of an input."""
    return tidy([{"value": len(gsm8k_test)}], metric="size", unit="problems", tier="measured")


def doubled(read):
    """Double the result, from the table of another experiment."""
    return tidy([{"value": 2 * read["value"][0]}], metric="size", unit="problems", tier="measured")


def timed(config):
    """Return a number that stands for a timing."""
    return tidy([{"value": config.throws}], metric="throws", unit="throws", tier="measured")


def greedy(config):
    """Read a knob that it does not list."""
    return tidy([{"value": config.throws}], metric="throws", unit="throws", tier="measured")


def broken(config):
    """Raise an error."""
    raise ValueError(f"not\ntoday: {config.data}")
