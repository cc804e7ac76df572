"""A ladder of two sizes that trains in a second."""

from jouleproof.studies.slm_energy.config import SlmEnergyConfig
from jouleproof.study import find_study, function_of

STUDY = find_study("slm_energy")

LADDER = {
    "sizes": {"1k": (1, 8, 1), "4k": (1, 16, 2)},
    "seeds": [0, 1, 2],
    "problems": 2,
    "tests": 6,
    "steps": 6,
    "equal_flops_of": "1k",
    "evaluations": 3,
    "target": 0.01,
}
TUNING = {
    "small": "1k",
    "large": "4k",
    "problems": 2,
    "tests": 6,
    "steps": 4,
    "every": 2,
    "anew_steps": {"1k": 4},
    "target": 0.02,
}


def config(tuning=None, **ladder):
    """Build a small config. tuning, ladder: knobs of fine_tuning and of ladder to change."""
    return SlmEnergyConfig.model_validate(
        {
            "ladder": {**LADDER, **ladder},
            "fine_tuning": {**TUNING, **(tuning or {})},
            "ladder_cost": {"batches": [1, 3], "rounds": 2},
            "power": {"draws": 100},
        }
    )


def trained(settings, folder, names=None, checkpoints=(), **tables):
    """Train checkpoints into a folder as the study declares, with only the declared inputs; returns their files by
    name.

    names: None for all of the ladder. checkpoints, tables: those that already exist, by name.
    """
    there = dict(checkpoints)
    plan = STUDY.trained(settings)
    for name in names or STUDY.checkpoints_of(STUDY.experiments["ladder_equal_flops"], settings):
        how, out = plan[name], folder / f"{name}.safetensors"
        given = {"config": STUDY.knobs(how, STUDY.knobs_json(how, settings)), "name": name, "out": out}
        given |= {table: tables[table] for table in how.results}
        if how.checkpoints:
            given["checkpoints"] = {start: there[start] for start in how.checkpoints}
        function_of(STUDY, how)(**given)
        there[name] = out
    return there
