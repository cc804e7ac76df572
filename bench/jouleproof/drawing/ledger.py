"""The ledger of a built-in study, for figures: the accepted range and the published value of a claim."""

from functools import cache
from math import isinf
from pathlib import Path
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from jouleproof.drawing.palette import MINT
from jouleproof.evidence.ledger import Claim, read_ledger

STUDIES = Path(__file__).resolve().parent.parent / "studies"


def claim_of(id: str) -> Claim:
    """Return the claim `<study>.<name>`. Raises KeyError if the study's ledger has none."""
    return _claims(id.partition(".")[0])[id]


def published(id: str) -> float:
    """Value that the source states, in the claim's unit. Raises ValueError if it states none."""
    value = claim_of(id).published
    if value is None:
        raise ValueError(f"{id} has no published value")
    return value


def accepted(axis: Axes, id: str, across: tuple[float, float], way: Literal["x", "y"] = "x", over: float = 1.0) -> None:
    """Draw a pale band over the accepted range, behind the points already drawn; the axis limits do not change.

    across: ends of the band along the other axis. over: the ledger's unit in units of this axis.
    """
    view = axis.get_xlim() if way == "x" else axis.get_ylim()
    low, high = (view[end] if isinf(bound) else bound / over for end, bound in enumerate(claim_of(id).accept))
    corner, size = (low, across[0]), (high - low, across[1] - across[0])
    if way == "y":
        corner, size = corner[::-1], size[::-1]
    axis.add_artist(Rectangle(corner, *size, facecolor=MINT, lw=0, zorder=0))


def accepted_handle() -> Rectangle:
    """Legend entry of the band of `accepted`."""
    return Rectangle((0, 0), 1, 1, facecolor=MINT, lw=0, label="accepted range of a claim")


@cache
def _claims(study: str) -> dict[str, Claim]:
    return {claim.id: claim for claim in read_ledger(STUDIES / study / "claims.toml")}
