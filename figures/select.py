"""The part of a table that a picture shows where it cannot show all."""

from collections.abc import Sequence

import pandas as pd


def under_one_rule(table: pd.DataFrame) -> pd.DataFrame:
    """Rows under the floor rule (or under the first rule where floor was left out), and those that no rule touches."""
    return table[table["scale"].isin([preferred([rule for rule in table["scale"] if rule != "none"], "floor"), "none"])]


def preferred(levels: Sequence[str], name: str) -> str:
    """`name` where it is among the levels, else the first of them."""
    return name if name in levels else levels[0]
