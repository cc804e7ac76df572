"""Published policies, reduced to their information and their rule; how they cap power is left out."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from jouleproof.errors import UserError
from jouleproof.power.workloads import Fleet
from jouleproof.studies.placement.profiles import INFORMATION, Information, mean_of_slots
from jouleproof.studies.placement.rules import RULES, Rule


@dataclass(frozen=True)
class Policy:
    """A placement policy: its information and its rule. source: where it was published."""

    information: Information
    rule: Rule
    source: str

    def __post_init__(self) -> None:
        for name, kind in (("information", Information), ("rule", Rule)):
            if not isinstance(getattr(self, name), kind):
                raise UserError(f"policy: {name} must be of class {kind.__name__}, got {getattr(self, name)!r:.60}")


def _buckets(percentile: float, deviations: float) -> Information:
    """Return information that rounds a percentile up to a quarter of the nameplate and adds `deviations` standard
    deviations."""

    def of(readings: np.ndarray, fleet: Fleet) -> np.ndarray:
        quarter = fleet.nameplate_w / 4
        rounded = np.ceil(np.percentile(readings, percentile, axis=1, keepdims=True) / quarter) * quarter
        return np.minimum(rounded + deviations * readings.std(axis=1, keepdims=True), fleet.nameplate_w)

    return Information(of, f"percentile {percentile:g} in quarters")


MEAN_WEEK = Information(mean_of_slots(168), "mean week")
POLICIES: Mapping[str, Policy] = {
    "blind": Policy(INFORMATION["nameplate"], RULES["best_fit"], "nameplates with a margin"),
    "blind_spread": Policy(INFORMATION["nameplate"], RULES["spread"], "the same, spread"),
    "resource_central": Policy(_buckets(95, 1.0), RULES["best_fit"], "Cortez et al., SOSP 2017"),
    "prediction_based": Policy(_buckets(95, 0.0), RULES["spread"], "Kumbhare et al., USENIX ATC 2021, chassis score"),
    "coach": Policy(INFORMATION["windows6"], RULES["best_fit"], "Coach, ASPLOS 2025"),
    "scattered": Policy(MEAN_WEEK, RULES["best_fit"], "SmoothOperator's mean weeks, workloads of a kind together"),
    "smooth_operator": Policy(MEAN_WEEK, RULES["asynchrony"], "SmoothOperator, ASPLOS 2018"),
    "profile": Policy(INFORMATION["slots24"], RULES["asynchrony"], "profile by hour of the day, asynchrony"),
}
