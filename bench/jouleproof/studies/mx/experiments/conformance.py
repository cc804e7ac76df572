"""Bit-by-bit agreement with other libraries, and the invariants of every cast, on adversarial blocks."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.formats import MXFormat, fake_quantize
from jouleproof.progress import steps
from jouleproof.studies.mx import registry
from jouleproof.studies.mx.adversarial import GROUPS
from jouleproof.studies.mx.config import MxConfig
from jouleproof.studies.mx.invariants import INVARIANTS, same_bits
from jouleproof.studies.mx.peers import PeerCast, peer_casts

AGREEMENT, NO_PEER, PEERS_RULE = "agreement", "none", "floor"


def conformance(config: MxConfig) -> pd.DataFrame:
    """Count the elements that violate a property of a format's cast, and the elements to which the property applies.

    Agreement, with every library that supports the format, under the floor rule: elements that it casts to other bits
    (mismatches) or refuses; all NaN count as equal. Invariants (mx.invariants), of every format under every rule:
    violations among the elements to which the invariant applies.
    """
    formats, rules = registry.formats(config.formats), registry.scale_rules(config.scales)
    step = steps("mx conformance", len(formats))
    rows: list[dict[str, Any]] = []
    for name, fmt in formats.items():
        peers = peer_casts(fmt)
        for number, (group, make) in enumerate(GROUPS.items()):
            x = make(fmt, config.conformance.blocks, np.random.default_rng([config.conformance.seed, number]))
            case = {"format": name, "group": group}
            rows += [{**case, **row} for row in _agreement(x, fmt, peers)]
            for scale, rule in rules.items():
                for invariant, count in INVARIANTS.items():
                    elements, violations = count(x, fmt, rule)
                    factors = {**case, "scale": scale, "property": invariant, "peer": NO_PEER}
                    rows.append({**factors, "metric": "elements", "value": float(elements)})
                    rows.append({**factors, "metric": "violations", "value": float(violations)})
        step(name)
    return tidy(rows, unit="elements", seed=config.conformance.seed, tier=MEASURED)


def _agreement(x: np.ndarray, fmt: MXFormat, peers: dict[str, PeerCast]) -> Iterator[dict[str, Any]]:
    ours = fake_quantize(x, fmt, scale=PEERS_RULE)
    for peer, cast in peers.items():
        refused, mismatches = compare(cast, x, ours)
        factors = {"scale": PEERS_RULE, "property": AGREEMENT, "peer": peer}
        for metric, count in {"elements": x.size, "mismatches": mismatches, "refused": refused}.items():
            yield {**factors, "metric": metric, "value": float(count)}


def compare(cast: PeerCast, x: np.ndarray, ours: np.ndarray) -> tuple[int, int]:
    """Return how many elements the peer refuses to cast, with an error, and how many it casts to different bits."""
    try:
        with np.errstate(all="ignore"):
            return 0, int((~same_bits(ours, cast(x))).sum())
    except ValueError:
        return x.size, 0
