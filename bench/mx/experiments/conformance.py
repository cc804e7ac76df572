"""Bit-by-bit agreement with other libraries on adversarial blocks."""

import numpy as np
import pandas as pd

from bench.errors import UserError
from bench.formats import fake_quantize
from bench.mx import named
from bench.mx.adversarial import GROUPS
from bench.mx.config import MxConfig
from bench.mx.peers import PeerCast, peer_casts
from bench.progress import steps
from bench.results import MEASURED, tidy


def conformance(config: MxConfig) -> pd.DataFrame:
    """Elements on which a peer's cast differs from ours in any bit, or that it refuses, under the floor rule.

    All NaN count as one value.
    """
    formats = named.formats(config.formats)
    step = steps("mx conformance", len(formats))
    rows = []
    for name, fmt in formats.items():
        peers = peer_casts(fmt)
        for number, (group, make) in enumerate(GROUPS.items()):
            x = make(fmt, config.conformance.blocks, np.random.default_rng([config.conformance.seed, number]))
            ours = fake_quantize(x, fmt)
            for peer, cast in peers.items():
                refused, mismatches = compare(cast, x, ours)
                where = {"format": name, "peer": peer, "group": group}
                rows.append({**where, "metric": "elements", "value": float(x.size)})
                rows.append({**where, "metric": "mismatches", "value": float(mismatches)})
                rows.append({**where, "metric": "refused", "value": float(refused)})
        step(name)
    if not rows:
        raise UserError("mx conformance: no other library has one of the config's formats; name a built-in one as well")
    return tidy(rows, unit="elements", seed=config.conformance.seed, tier=MEASURED)


def compare(cast: PeerCast, x: np.ndarray, ours: np.ndarray) -> tuple[int, int]:
    """Elements that the peer refuses to cast, with an error, and those that it casts to other bits than ours."""
    try:
        with np.errstate(all="ignore"):
            return 0, int((~same_bits(ours, cast(x))).sum())
    except ValueError:
        return x.size, 0


def same_bits(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Elementwise on float32: the same bits, or both NaN."""
    return (a.view(np.int32) == b.view(np.int32)) | (np.isnan(a) & np.isnan(b))
