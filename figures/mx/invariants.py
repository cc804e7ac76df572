"""Invariants of every cast, on adversarial blocks: elements that violate an invariant, of those to which it applies,
with the groups of blocks and the scale rules. Idempotence: a second cast changes nothing. Order: the elements of a
block keep their order, but may become equal. Sign symmetry: the negated block gives the negated result
(integers have no -0). Scale covariance: a block times a power of two gives the result times that power, unless the
scale clamps or the range of float32 is exceeded. Plain reference: the compiled kernels give the bits of the plain
reference quantiser. Known exceptions: near the largest float, a rule that rounds the scale up can round an element to
infinity, and a second cast makes that block NaN; a rule that does not follow the largest element of its block, such as
a fixed scale, is not covariant.
"""

import pandas as pd

from jouleproof.drawing.select import unique, where
from jouleproof.drawing.style import format_label, ordered_formats

TITLE = "Invariants of every cast"
SOURCES = ["mx/conformance"]
FEW = 3  # most names that a cell lists


def tabulate(conformance: pd.DataFrame) -> pd.DataFrame:
    table = conformance[conformance["property"] != "agreement"]
    invariants = unique(table["property"])
    return pd.DataFrame(
        {"format": format_label(name)}
        | {invariant: _cell(where(table, format=name, property=invariant)) for invariant in invariants}
        for name in ordered_formats(table["format"])
    )


def _cell(rows: pd.DataFrame) -> str:
    """Format the cell of one format and invariant. rows: its rows."""
    elements = f"{where(rows, metric='elements')['value'].sum():,.0f}"
    broken = where(rows[rows["value"] > 0], metric="violations")
    if broken.empty:
        return f"none of {elements}"
    groups, rules = _named(broken["group"], "groups"), _named(broken["scale"], "rules")
    return f"{broken['value'].sum():,.0f} of {elements}: {groups} ({rules})"


def _named(names: "pd.Series[str]", what: str) -> str:
    different = unique(names)
    return ", ".join(different) if len(different) <= FEW else f"{len(different)} {what}"
