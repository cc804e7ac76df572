"""Tables of the study of small language models, small."""

import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from unittest.mock import patch

import pandas as pd

from jouleproof.inputs import read_energy
from jouleproof.inputs.stand_in import mlenergy
from jouleproof.power import meters
from jouleproof.studies.slm_energy.config import SlmEnergyConfig
from jouleproof.studies.slm_energy.experiments import meter_audit as meter_room
from jouleproof.studies.slm_energy.experiments.answers import answers
from jouleproof.studies.slm_energy.experiments.cards import cards
from jouleproof.studies.slm_energy.experiments.cost import cost
from jouleproof.studies.slm_energy.experiments.energy_law import energy_law, energy_points
from jouleproof.studies.slm_energy.experiments.engines import engines
from jouleproof.studies.slm_energy.experiments.fine_tuning import fine_tuning
from jouleproof.studies.slm_energy.experiments.ladder import ladder
from jouleproof.studies.slm_energy.experiments.ladder_cost import ladder_cost, ladder_energy
from jouleproof.studies.slm_energy.experiments.quality import quality
from jouleproof.studies.slm_energy.experiments.tuning import tuning, tuning_cost
from jouleproof.studies.slm_energy.ladder_runs import EQUAL_FLOPS, EQUAL_STEPS
from tests.slm_energy import small_ladder, small_models


def slm_energy(with_own: bool) -> Mapping[str, pd.DataFrame]:
    """By name of the experiment."""
    return {**_ladder(), **_real(), **_published(), "slm_energy/meter_audit": _meter_audit(with_own)}


@cache
def _published() -> Mapping[str, pd.DataFrame]:
    """Of the stand-in for the measured energy."""
    config = SlmEnergyConfig.model_validate({"energy_law": {"resamples": 100}})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mlenergy_tokens.csv"
        path.write_bytes(mlenergy.measurements(0))
        points = energy_points(read_energy(path))
    law = energy_law(config, points)
    return {
        "slm_energy/cards": cards(),
        "slm_energy/energy_points": points,
        "slm_energy/energy_law": law,
        "slm_energy/answers": answers(config, law),
    }


@cache
def _real() -> Mapping[str, pd.DataFrame]:
    """Of random weights that take milliseconds."""
    asked = quality(small_models.CONFIG, small_models.PROBLEMS, small_models.PROBLEMS, {})
    return {
            "slm_energy/quality": asked,
            "slm_energy/cost": cost(small_models.CONFIG, small_models.MODEL.network, asked),
            "slm_energy/engines": engines(small_models.CONFIG, small_models.MODEL, Path()),
            "slm_energy/tuning": tuning(small_models.CONFIG, small_models.MODEL, small_models.PROBLEMS,
                                        small_models.PROBLEMS),
            "slm_energy/tuning_cost": tuning_cost(small_models.CONFIG, small_models.MODEL, small_models.PROBLEMS),
        }  # fmt: skip


def _meter_audit(with_own: bool) -> pd.DataFrame:
    """With nobody beside, as if this process had no meter yet."""
    meter = "tests.extension_example.meter:PLUG" if with_own else "none"
    config = SlmEnergyConfig.model_validate({"meters": {"meter": meter, "steps": 4, "repeats": 2}})
    alone = meter_room.neighbours
    with patch.dict(meters._opened, clear=True), patch.object(meter_room, "neighbours", lambda _: alone(0)):
        return meter_room.meter_audit(config)


@cache
def _ladder() -> Mapping[str, pd.DataFrame]:
    """Trained just far enough for a right answer now and then."""
    with tempfile.TemporaryDirectory() as folder:
        further = {"problems": 24, "tests": 100, "steps": 40, "every": 4, "anew_steps": {"1k": 40}}
        own = {"steps": 200, "problems": 8, "tests": 100, "learning_rate": 0.03}
        config = small_ladder.config(folder, further, sizes={"1k": (1, 16, 2), "4k": (2, 16, 2)}, **own)
        steps, flops = ladder(config, EQUAL_STEPS), ladder(config, EQUAL_FLOPS)
        tuned = fine_tuning(config, steps, flops)
        cost = ladder_cost(config, steps, flops, tuned)
    return {
        "slm_energy/ladder": steps,
        "slm_energy/ladder_equal_flops": flops,
        "slm_energy/fine_tuning": tuned,
        "slm_energy/ladder_cost": cost,
        "slm_energy/ladder_energy": ladder_energy(config, steps, flops, cost),
    }
