"""Gains in silicon: modelled area and energy of dot-product units against their QSNR, and checks of the model against
published ratios."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import ml_dtypes
import numpy as np
import pandas as pd

from jouleproof.evidence.tables import CITED, MEASURED, SIMULATED, tidy
from jouleproof.formats import FORMATS, fake_quantize
from jouleproof.progress import steps
from jouleproof.studies.mx import registry
from jouleproof.studies.mx.config import MxConfig
from jouleproof.studies.mx.generated_vectors import Cast, qsnr_db, sum_of_squares, vectors
from jouleproof.studies.mx.other_casts import fp8_per_tensor, int8_per_row, nvfp4
from jouleproof.studies.mx.silicon_checks import CHECKS
from jouleproof.studies.mx.silicon_model import UNITS, Draws, Unit, draw, unit_cost, unit_of

REFERENCE = "bfloat16"
ENDS = (0.025, 0.975)


def silicon(config: MxConfig) -> pd.DataFrame:
    """Compute each format's unit cost relative to bfloat16, draw by draw, its QSNR on Gaussian vectors, and the checks.

    relative_*: a format's cost over bfloat16's; saved_*: the inverse.
    """
    draws = draw(config.silicon.draws, config.silicon.seed)
    units = {**UNITS, **{name: unit_of(fmt) for name, fmt in registry.formats(config.formats).items()}}
    rows = [*_costs(units, draws), *_qsnr(config), *_checks(draws)]
    return tidy([{"format": "-", "check": "-", **row} for row in rows])


def _costs(units: Mapping[str, Unit], draws: Draws) -> list[dict[str, Any]]:
    area_reference, energy_reference = unit_cost(units[REFERENCE], draws)
    rows = []
    for name, unit in units.items():
        areas, energies = unit_cost(unit, draws)
        area, energy = areas / area_reference, energies / energy_reference
        for metric, values in {"area": area, "energy": energy, "area_energy": np.sqrt(area * energy)}.items():
            factors = {"format": name, "tier": SIMULATED}
            rows += _repeats({**factors, "metric": f"relative_{metric}", "unit": "1"}, values)
            rows += _repeats({**factors, "metric": f"saved_{metric}", "unit": "x"}, 1 / values)
    return rows


def _repeats(row: dict[str, Any], values: Iterable[float]) -> list[dict[str, Any]]:
    return [{**row, "repeat": number, "value": value} for number, value in enumerate(values)]


def _qsnr(config: MxConfig) -> list[dict[str, Any]]:
    """Return the QSNR of the units' operands: MX under floor or the first rule, FP8 and INT8 under a tensor scale."""
    formats, rules = registry.formats(config.formats), registry.scale_rules(config.scales)
    rule = rules[registry.default_rule(rules)]
    casts: dict[str, Cast] = {name: partial(fake_quantize, fmt=fmt, scale=rule) for name, fmt in formats.items()}
    casts |= CASTS
    sample = config.qsnr.model_copy(update={"vectors": config.silicon.vectors})
    step = steps("mx silicon", len(config.silicon.seeds))
    rows = []
    for seed in config.silicon.seeds:
        x = vectors("gaussian", sample, seed)
        signal = sum_of_squares(x)
        row = {"metric": "qsnr", "unit": "dB", "tier": MEASURED, "seed": seed}
        rows += [{**row, "format": name, "value": qsnr_db(x, cast(x), signal)} for name, cast in casts.items()]
        step(f"seed {seed}")
    return rows


def _through(dtype: Any) -> Cast:
    return lambda x: x.astype(dtype).astype(np.float32)


def _per_tensor(x: np.ndarray) -> np.ndarray:
    return int8_per_row(x.reshape(1, -1)).reshape(x.shape)


CASTS: Mapping[str, Cast] = {
    "bfloat16": _through(ml_dtypes.bfloat16),
    "float16": _through(np.float16),
    "fp8_e4m3": fp8_per_tensor,
    "fp8_e5m2": partial(fp8_per_tensor, fmt=FORMATS["mxfp8_e5m2"]),
    "int8": _per_tensor,
    "nvfp4": nvfp4,
}


def _checks(draws: Draws) -> list[dict[str, Any]]:
    """Return the table rows of the checks; check_published has one row, or two for the ends of a range."""
    rows = []
    for check in CHECKS:
        row = {"check": f"{check.name} ({check.source})", "unit": "x"}
        modelled = np.quantile(check.modelled(draws), ENDS)
        rows += _repeats({**row, "metric": "check_modelled", "tier": SIMULATED}, modelled)
        rows += _repeats({**row, "metric": "check_published", "tier": CITED}, check.published)
    return rows
