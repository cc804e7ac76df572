"""Bit-by-bit agreement of other libraries with this one, on adversarial blocks under the floor rule: for each format
with differences, elements that differ / elements compared; otherwise "all equal". Known causes: gfloat uses the most
negative code of MXINT8 and does not turn a block with an infinity into NaN; nor does torchao, which also divides by a
scale that differs from the one it stores if the scale clamps; ml_dtypes casts only elements and is given our scale.
"""

import pandas as pd

from jouleproof.drawing.select import unique
from jouleproof.drawing.style import format_label, ordered_formats

TITLE = "Agreement with other libraries, bit by bit"
SOURCES = ["mx/conformance"]


def tabulate(conformance: pd.DataFrame) -> pd.DataFrame:
    compared = conformance[conformance["property"] == "agreement"]
    peers, groups = unique(compared["peer"]), unique(conformance["group"])
    if not peers:
        return pd.DataFrame([{"group": group, "other libraries": "none has these formats"} for group in groups])
    cells = compared.groupby(["group", "peer"])
    rows = [{"group": group, **{peer: _cell(cells.get_group((group, peer))) for peer in peers}} for group in groups]
    return pd.DataFrame(rows)


def _cell(rows: pd.DataFrame) -> str:
    """Format the cell of one group and peer. rows: its rows."""
    counts = {key: int(value) for key, value in rows.set_index(["format", "metric"])["value"].items()}
    names = ordered_formats(rows["format"])
    differing = [name for name in names if counts[name, "mismatches"]]
    refused = [name for name in names if counts[name, "refused"]]
    parts = []
    if len(names) > 1 and all(counts[name, "mismatches"] == counts[name, "elements"] for name in names):
        parts.append("all differ")
    else:
        parts += [f"{format_label(n)} {counts[n, 'mismatches']}/{counts[n, 'elements']}" for n in differing]
    if refused:
        parts.append("refused: " + ", ".join(map(format_label, refused)))
    return "; ".join(parts) or "all equal"
