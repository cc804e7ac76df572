"""Where the error of a cast comes from, on generated vectors."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.formats import MXFormat, ScaleRule, fake_quantize
from jouleproof.progress import steps
from jouleproof.studies.mx import registry
from jouleproof.studies.mx.cast_steps import saturated
from jouleproof.studies.mx.config import MxConfig
from jouleproof.studies.mx.experiments.qsnr import vectors
from jouleproof.studies.mx.generated_vectors import qsnr_db, sum_of_squares
from jouleproof.studies.mx.other_casts import OtherCast

ROUNDINGS = ("even", "away")
OWN_SCALE = "own"


def error_sources(config: MxConfig) -> pd.DataFrame:
    """QSNR, and what saturates, as scale rule, block size and rounding are changed one at a time; and the QSNR of casts
    that are not OCP MX.

    A row's `bits` are the bits per element, shared scales included. `saturated_elements` is the share of elements that
    exceed the largest value of their block, `saturated_noise` the share of the noise power that these elements carry.
    """
    settings = config.error_sources
    formats, others = registry.formats(config.formats), registry.other_casts(settings.others)
    rules = registry.scale_rules(config.scales)
    draws = list(product(settings.distributions, settings.seeds))
    step = steps("mx error_sources", len(draws))
    rows: list[dict[str, Any]] = []
    for distribution, seed in draws:
        x = vectors(distribution, settings, seed)
        where = {"distribution": distribution, "seed": seed}
        for name, fmt in formats.items():
            about = {**where, "format": name, "ocp_mx": "yes"}
            rows += [{**about, **row} for row in mx_casts(x, fmt, rules, settings.blocks)]
        rows += [{**where, **other_cast(x, other)} for other in others.values()]
        step(f"{distribution}, seed {seed}")
    return tidy(rows, tier=MEASURED)


def one_at_a_time(fmt: MXFormat, rules: list[str], blocks: list[int]) -> list[tuple[int, str, str]]:
    """(block, scale rule, rounding) of every cast that differs from the default in at most one of the three.

    The default is the format's own block, the floor rule (the first where floor is left out) and ties to even.
    """
    rule, rounding = "floor" if "floor" in rules else rules[0], ROUNDINGS[0]
    casts = [(fmt.block, rule, rounding)]
    casts += [(fmt.block, each, rounding) for each in rules]
    casts += [(each, rule, rounding) for each in blocks]
    casts += [(fmt.block, rule, each) for each in ROUNDINGS]
    return list(dict.fromkeys(casts))


def mx_casts(
    x: np.ndarray, fmt: MXFormat, rules: Mapping[str, ScaleRule], blocks: list[int]
) -> Iterator[dict[str, Any]]:
    signal = sum_of_squares(x)
    for block, rule, rounding in one_at_a_time(fmt, list(rules), blocks):
        blocked = replace(fmt, block=block)
        cast = fake_quantize(x, blocked, scale=rules[rule], rounding=rounding)
        beyond = saturated(x, blocked, rules[rule])
        clipped = sum_of_squares(cast[beyond] - x[beyond]) / sum_of_squares(cast - x)
        about = {"block": block, "bits": fmt.bits + 8 / block, "scale": rule, "rounding": rounding}
        yield {**about, "metric": "qsnr", "unit": "dB", "value": qsnr_db(x, cast, signal)}
        yield {**about, "metric": "saturated_elements", "unit": "share", "value": float(beyond.mean())}
        yield {**about, "metric": "saturated_noise", "unit": "share", "value": clipped}


def other_cast(x: np.ndarray, other: OtherCast) -> dict[str, Any]:
    return {
        "format": other.name,
        "ocp_mx": "yes" if other.ocp_mx else "no",
        "block": other.block(x.shape),
        "bits": other.bits_per_element(x.shape),
        "scale": OWN_SCALE,
        "rounding": ROUNDINGS[0],
        "metric": "qsnr",
        "unit": "dB",
        "value": qsnr_db(x, other.run(x)),
    }
