"""Sources of the error of a cast, on generated vectors."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.formats import MXFormat, ScaleRule, fake_quantize
from jouleproof.studies.mx import registry
from jouleproof.studies.mx.cast_steps import saturated
from jouleproof.studies.mx.config import MxConfig
from jouleproof.studies.mx.generated_vectors import draws, qsnr_db, sum_of_squares
from jouleproof.studies.mx.other_casts import OtherCast

ROUNDINGS = ("even", "away")
OWN_SCALE = "own"


def error_sources(config: MxConfig) -> pd.DataFrame:
    """Measure QSNR and saturation as scale rule, block size and rounding are changed one at a time, and the QSNR of
    casts that are not OCP MX.

    A row's `bits` are the bits per element, shared scales included. `saturated_elements` is the share of elements that
    exceed the largest value of their block, `saturated_noise` the share of the noise power that these elements carry.
    """
    settings = config.error_sources
    formats, rules = registry.formats(config.formats), registry.scale_rules(config.scales)
    others = registry.other_casts(settings.others)
    rows: list[dict[str, Any]] = []
    for draw, x in draws("mx error_sources", settings):
        for name, fmt in formats.items():
            factors = {**draw, "format": name, "ocp_mx": "yes"}
            rows += [{**factors, **row} for row in mx_casts(x, fmt, rules, settings.blocks)]
        rows += [{**draw, **other_cast(x, other)} for other in others.values()]
    return tidy(rows, tier=MEASURED)


def one_at_a_time(fmt: MXFormat, rules: Collection[str], blocks: Sequence[int]) -> list[tuple[int, str, str]]:
    """Return (block, scale rule, rounding) of every cast that differs from the default in at most one of the three.

    The default is the format's block, the floor rule (the first rule if floor is not listed) and ties to even.
    """
    default_rule, default_rounding = registry.default_rule(rules), ROUNDINGS[0]
    casts = [(fmt.block, default_rule, default_rounding)]
    casts += [(fmt.block, rule, default_rounding) for rule in rules]
    casts += [(block, default_rule, default_rounding) for block in blocks]
    casts += [(fmt.block, default_rule, rounding) for rounding in ROUNDINGS]
    return list(dict.fromkeys(casts))


def mx_casts(
    x: np.ndarray, fmt: MXFormat, rules: Mapping[str, ScaleRule], blocks: Sequence[int]
) -> Iterator[dict[str, Any]]:
    signal = sum_of_squares(x)
    for block, rule, rounding in one_at_a_time(fmt, rules, blocks):
        blocked = replace(fmt, block=block)
        cast = fake_quantize(x, blocked, scale=rules[rule], rounding=rounding)
        clipped = saturated(x, blocked, rules[rule])
        clipped_noise = sum_of_squares(cast[clipped] - x[clipped]) / sum_of_squares(cast - x)
        factors = {"block": block, "bits": blocked.bits_per_element, "scale": rule, "rounding": rounding}
        for metric, unit, value in (
            ("qsnr", "dB", qsnr_db(x, cast, signal)),
            ("saturated_elements", "share", float(clipped.mean())),
            ("saturated_noise", "share", clipped_noise),
        ):
            yield {**factors, "metric": metric, "unit": unit, "value": value}


def other_cast(x: np.ndarray, other: OtherCast) -> dict[str, Any]:
    return {
        "format": other.name,
        "ocp_mx": "no",
        "block": other.block(x.shape),
        "bits": other.bits_per_element(x.shape),
        "scale": OWN_SCALE,
        "rounding": ROUNDINGS[0],
        "metric": "qsnr",
        "unit": "dB",
        "value": qsnr_db(x, other.run(x)),
    }
