"""Tables of the placement study: of the experiments themselves, on a hall of twenty servers."""

import tempfile
from functools import cache
from pathlib import Path

from jouleproof.inputs.stand_in import generate
from jouleproof.studies.placement.__main__ import RECORDED
from jouleproof.studies.placement.config import PlacementConfig
from jouleproof.studies.placement.experiments.hosting import frontier, hosting, predictability
from jouleproof.studies.placement.experiments.leakage import leakage
from jouleproof.studies.placement.experiments.oversubscription import oversubscription
from jouleproof.studies.placement.experiments.policies import bounds, policies
from jouleproof.studies.placement.experiments.precision import precision, profile_error, sensed
from jouleproof.studies.placement.experiments.prediction import prediction
from jouleproof.studies.placement.experiments.processors import processors
from jouleproof.studies.placement.experiments.reality import reality
from jouleproof.studies.placement.experiments.scale import scale
from jouleproof.studies.placement.experiments.transfer import transfer
from tests.placement import small


@cache
def placement(with_own):
    """with_own: with an object of a researcher's own in every place that takes one."""
    own = "tests.extension_example.placement"
    mine = {name: [f"{own}:{name}"] if with_own else [] for name in ("MEDIAN", "FLAT", "largest", "WHOLE_KW", "HALF",
                                                                     "SLOW", "MINE")}  # fmt: skip
    told, ruled = ["nameplate", "mean", "p99", "slots24", "slots168", *mine["MEDIAN"]], ["best_fit", "asynchrony"]
    config = PlacementConfig.model_validate(
        {
            "fleet": {"servers": 20},
            "hosting": {"seeds": 2, "rows": [4, 10], "information": told, "rules": [*ruled, *mine["FLAT"]]},
            "frontier": {"information": ["mean", *mine["MEDIAN"]], "margins": [0.95, 1.0]},
            "predictability": {"information": ["slots24", *mine["MEDIAN"]], "predictable": [1.0, 0.0]},
            "prediction": {"predictors": ["fleet_peak", "fleet_mean", "tenant_mean", *mine["largest"]]},
            "transfer": {"information": ["mean", "p99", "slots168", *mine["MEDIAN"]]},
            "precision": {"windows_s": [2, 60, 300], "domains": 1},
            "sensors": {"sensors": ["ideal", "nvml", "redfish", *mine["SLOW"]], "days": [1, 7], "workloads": 1},
            "oversubscription": {"servers": 6, "headrooms": [0.21, 0.05], "added": [0.0, 0.3], "days": 1,
                                 "controllers": ["none", "polca", *mine["HALF"]]},
            "leakage": {"releases": ["nothing", "mean", "slots24", *mine["WHOLE_KW"]], "attacked": 40},
            "policies": {"policies": ["blind", "blind_spread", "prediction_based", "scattered", "smooth_operator",
                                      *mine["MINE"]]},
            "bounds": {"cases": [(2, 5)], "seeds": 2},
            "scale": {"instances": [50, 100], "repeats": 2},
        }
    )  # fmt: skip
    trace = small.power_trace(3600)
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / name for name in RECORDED}
        for name, path in paths.items():
            path.write_bytes(generate(name.replace("_", "-"), 0))
        recorded = reality(config, paths)
    return {
        "placement/sensed": sensed(config, trace),
        "placement/precision": precision(config, trace),
        "placement/profile_error": profile_error(config, trace),
        "placement/hosting": hosting(config),
        "placement/frontier": frontier(config),
        "placement/predictability": predictability(config),
        "placement/transfer": transfer(config),
        "placement/prediction": prediction(config),
        "placement/leakage": leakage(config),
        "placement/oversubscription": oversubscription(config, trace),
        "placement/processors": processors(config),
        "placement/policies": policies(config, trace),
        "placement/bounds": bounds(config),
        "placement/reality": recorded,
        "placement/scale": scale(config, trace),
    }
