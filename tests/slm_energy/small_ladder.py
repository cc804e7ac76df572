"""A ladder of two sizes that trains in a second."""

from jouleproof.studies.slm_energy.config import SlmEnergyConfig

LADDER = {
    "sizes": {"1k": (1, 8, 1), "4k": (1, 16, 2)}, "seeds": [0, 1, 2], "problems": 2, "tests": 6, "steps": 6,
    "equal_flops_of": "1k", "evaluations": 3, "target": 0.01,
}  # fmt: skip
TUNING = {
    "small": "1k", "large": "4k", "problems": 2, "tests": 6, "steps": 4, "every": 2, "anew_steps": {"1k": 4},
    "target": 0.02,
}  # fmt: skip


def config(folder, tuning=None, **own):
    """folder: of the checkpoints. tuning, own: knobs of fine_tuning and of ladder that differ."""
    return SlmEnergyConfig.model_validate(
        {
            "ladder": {**LADDER, "checkpoints": str(folder), **own},
            "fine_tuning": {**TUNING, **(tuning or {})},
            "ladder_cost": {"batches": [1, 3], "rounds": 2},
            "power": {"draws": 100},
        }
    )
