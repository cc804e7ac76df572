"""`python -m tests.figures.make_samples`: write the tables that tests draw figures from into the folder samples.

Experiments run as a job runs them, with small knobs and inputs; tables that take hours to measure are made up.
samples/built_in holds every table, samples/own those that differ if every place that takes a user's object holds one.
Tables of times differ on every run; all others are identical to the byte.
"""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from jouleproof import plugins
from jouleproof.drawing.style import RECIPE_STYLES
from jouleproof.evidence import intervals
from jouleproof.evidence.tables import write
from jouleproof.formats import FORMATS
from jouleproof.inputs import CommittedEntry, catalogue
from jouleproof.inputs.resolve import COMMITTED
from jouleproof.inputs.stand_in import generate
from jouleproof.job import call
from jouleproof.power import meters
from jouleproof.serving.simulator.clusters import FAMILIES
from jouleproof.studies.joint.config import JointConfig
from jouleproof.studies.mx.config import MxConfig
from jouleproof.studies.phase_split.config import PhaseSplitConfig
from jouleproof.studies.placement.config import PlacementConfig
from jouleproof.studies.slm_energy.config import SlmEnergyConfig
from jouleproof.studies.slm_energy.experiments import meter_audit
from jouleproof.study import find_study, function_of
from tests.extension_example import formats as users_formats
from tests.figures import made_up
from tests.figures.samples import FOLDER
from tests.joint import small_tables
from tests.placement import small
from tests.slm_energy import small_models

USERS = "tests.extension_example"
SLM_LADDER = ("ladder", "ladder_equal_flops", "fine_tuning", "ladder_cost", "ladder_energy")
SLM_WEIGHTS = ("quality", "cost", "tuning", "tuning_cost", "engines")
MADE = {}  # by study, name and knobs


def mx(users):
    """Run the experiments of MX. users: whether every place that takes a user's object holds one."""
    formats = [*FORMATS, *([f"{USERS}.formats:FORMAT"] if users else [])]
    few = {"vectors": 20, "length": 64, "seeds": [0, 1, 2]}
    return MxConfig.model_validate(
        {"formats": formats, "qsnr": few, "error_sources": few, "silicon": {"draws": 60, "vectors": 200}}
    )


def phase_split(users):
    return PhaseSplitConfig.model_validate(
        {
            "designs": [*FAMILIES, *([f"{USERS}.cluster:DESIGN"] if users else [])],
            "load": {"seconds": 10.0, "warm_up": 2.0, "drain": 1.0, "hour_s": 15.0},
            "capacity": {"seeds": [1, 2], "precision": 0.5, "search_precision": 0.5, "pool_step": 0.3},
            "latency": {"rates": [20.0, 60.0], "seeds": [1]},
            "design_space": {"prompt_machines": [26, 27], "token_machines": [2, 3], "seeds": [1]},
            "transfer": {"gbit_per_s": [400.0, 1600.0], "seeds": [1, 2]},
            "speed": {"seconds": 10.0, "repeats": 2},
            "power_trace": {"hours": 0.05, "rate": 20.0},
            "active": {"rates": [70.0], "seconds": 10.0},
            "beyond": {
                "accelerators": ["dgx-h100", "dgx-b200"],
                "formats": ["mxfp4"],
                "seeds": [1, 2],
                "precision": 0.5,
            },
            "week": {"rate": 2.0, "hours": 2, "batch": 1000},
            "engine": {"layers": 2, "slots": 8, "capacity": 96, "boxes": 2},
            "serving": {
                "scale": 32.0,
                "batch_tokens": 64,
                "chunk_tokens": 16,
                "loads": [0.3, 0.6],
                "requests": 20,
                "warm_up": 2,
                "repeats": 2,
                "tries": 1,
                "checked": 2,
            },
            "moves": {"prompts": [16], "forms": ["float32", "mxfp8_e4m3"], "repeats": 2},
            "roofline": {"layers": 2, "prompts": [16, 64], "decodes": [1, 4], "context": 16, "repeats": 2},
        }
    )


def placement(users):
    """Run the experiments of placement, on a hall of twenty servers."""

    def mine(name):
        return [f"{USERS}.placement:{name}"] if users else []

    information = ["nameplate", "mean", "p99", "slots24", "slots168", *mine("MEDIAN")]
    return PlacementConfig.model_validate(
        {
            "fleet": {"servers": 20},
            "hosting": {
                "seeds": 2,
                "rows": [4, 10],
                "information": information,
                "rules": ["best_fit", "asynchrony", *mine("FLAT")],
            },
            "frontier": {"information": ["mean", *mine("MEDIAN")], "margins": [0.95, 1.0]},
            "predictability": {"information": ["slots24", *mine("MEDIAN")], "predictable": [1.0, 0.0]},
            "prediction": {"predictors": ["fleet_peak", "fleet_mean", "tenant_mean", *mine("largest")]},
            "transfer": {"information": ["mean", "p99", "slots168", *mine("MEDIAN")]},
            "precision": {"windows_s": [2, 60, 300], "domains": 1},
            "sensors": {"sensors": ["ideal", "nvml", "redfish", *mine("SLOW")], "days": [1, 7], "workloads": 1},
            "oversubscription": {
                "servers": 6,
                "headrooms": [0.21, 0.05],
                "added": [0.0, 0.3],
                "days": 1,
                "controllers": ["none", "polca", *mine("HALF")],
            },
            "leakage": {"releases": ["nothing", "mean", "slots24", *mine("WHOLE_KW")], "attacked": 40},
            "policies": {
                "policies": ["blind", "blind_spread", "prediction_based", "scattered", "smooth_operator", *mine("MINE")]
            },
            "bounds": {"cases": [(2, 5)], "seeds": 2},
            "scale": {"instances": [50, 100], "repeats": 2},
        }
    )


def slm_ladder():
    """Run the scaling ladder, trained just long enough for an occasional right answer."""
    return SlmEnergyConfig.model_validate(
        {
            "ladder": {
                "sizes": {"1k": (1, 16, 2), "4k": (2, 16, 2)},
                "seeds": [0, 1, 2],
                "problems": 8,
                "tests": 100,
                "steps": 200,
                "learning_rate": 0.03,
                "equal_flops_of": "1k",
                "evaluations": 3,
                "target": 0.01,
            },
            "fine_tuning": {
                "small": "1k",
                "large": "4k",
                "problems": 24,
                "tests": 100,
                "steps": 40,
                "every": 4,
                "anew_steps": {"1k": 40},
                "target": 0.02,
            },
            "ladder_cost": {"batches": [1, 3], "rounds": 2},
            "power": {"draws": 100},
        }
    )


def slm_published():
    return SlmEnergyConfig.model_validate({"energy_law": {"resamples": 100}})


def slm_meters(users):
    meter = f"{USERS}.meter:PLUG" if users else "none"
    return SlmEnergyConfig.model_validate({"meters": {"meter": meter, "steps": 4, "repeats": 2}})


def main():
    with tempfile.TemporaryDirectory() as folder, patch.object(intervals, "RESAMPLES", 99):
        inputs = small_inputs(Path(folder))
        built_in, users = (tables(with_own, inputs, Path(folder)) for with_own in (False, True))
    differing = {name: table for name, table in users.items() if not table.equals(built_in[name])}
    shutil.rmtree(FOLDER, ignore_errors=True)
    for variant, samples in (("built_in", built_in), ("own", differing)):
        for name, table in samples.items():
            write(table, FOLDER / variant / f"{name}.parquet")
    sizes = [path.stat().st_size for path in FOLDER.rglob("*.parquet")]
    print(f"{len(sizes)} tables, {sum(sizes) / 1e6:.2f} MB")


def tables(users, inputs, folder):
    """Make all tables, by `<study>/<experiment>`. folder: for checkpoints."""
    users_format = [users_formats.FORMAT.name] if users else []  # a recipe trains in it as well, under its name
    joint_tables = small_tables.tables(tilt=0.3)  # computed by hand
    given = {
        "phase_split/power_trace": small.power_trace(3600),
        "phase_split/service_energy": joint_tables["service_energy"],
        "placement/hosting": joint_tables["hosting"],
        "slm_energy/answers": joint_tables["answers"],
        "slm_energy/cards": joint_tables["cards"],
    }
    invented = made_up.tables([*FORMATS, *users_format], [*RECIPE_STYLES, *users_format])
    return {
        **run("mx", mx(users), inputs, skip=[name.removeprefix("mx/") for name in invented]),
        **invented,
        **run("phase_split", phase_split(users), inputs, skip=("service_energy",)),
        "phase_split/service_energy": given["phase_split/service_energy"],
        **run("placement", placement(users), inputs, given),
        **run("slm_energy", slm_ladder(), inputs, only=SLM_LADDER, folder=folder),
        **run("slm_energy", small_models.CONFIG, inputs, only=SLM_WEIGHTS),
        **run("slm_energy", slm_published(), inputs, skip=(*SLM_LADDER, *SLM_WEIGHTS, "meter_audit")),
        **meter_audit_alone(users),
        **run("joint", JointConfig(draws=100), inputs, given),
    }


def small_inputs(folder):
    """Small inputs by id, as the catalogue's readers read them: stand-ins, and a model of random weights with problems
    for it."""
    read = {
        "smollm2_135m": replace(small_models.MODEL, path=folder),
        "gsm8k_test": small_models.PROBLEMS,
        "gsm8k_train": small_models.PROBLEMS,
    }
    for entry in catalogue().values():
        if entry.id in read:
            continue
        if isinstance(entry, CommittedEntry):
            path = COMMITTED / entry.files[0].file
        elif entry.stand_in:
            path = folder / entry.id
            path.write_bytes(generate(entry.stand_in, 0))
        else:
            continue
        read[entry.id] = plugins.load("reader", entry.reader, {})(path) if entry.reader else path
    return read


def meter_audit_alone(users):
    """Run the meter audit without other load, as if this process had no meter yet."""
    neighbours = meter_audit.neighbours
    with patch.dict(meters._opened, clear=True), patch.object(meter_audit, "neighbours", lambda _: neighbours(0)):
        return run("slm_energy", slm_meters(users), {}, only=("meter_audit",))


def run(study, config, inputs, given=None, only=None, skip=(), folder=None):
    """Run the study's experiments, those in `only` except those in `skip`, once for the same knobs. given: other
    studies' tables. folder: for checkpoints, if any are read."""
    study, available, paths = find_study(study), dict(given or {}), {}
    waiting = dict(study.trained(config)) if folder else {}
    waiting |= {name: job for name, job in study.experiments.items() if name in (only or [name]) and name not in skip}
    tables = {}
    while waiting:
        name, job = next(
            (name, job)
            for name, job in waiting.items()
            if available.keys() >= set(study.reads(job)) and paths.keys() >= set(study.checkpoints_of(job, config))
        )
        del waiting[name]
        arguments = {
            "config": study.knobs(job, study.knobs_json(job, config)),
            **{input_id: inputs[input_id] for input_id in job.inputs},
            **{table.rpartition("/")[2]: available[table] for table in study.reads(job)},
        }
        if job.checkpoints:
            arguments["checkpoints"] = {at: paths[at] for at in study.checkpoints_of(job, config)}
        key = (study.name, name, study.knobs_json(job, config))
        if name in study.experiments:
            if key not in MADE:
                MADE[key] = call(function_of(study, job), arguments)
            available[f"{study.name}/{name}"] = tables[f"{study.name}/{name}"] = MADE[key]
        else:
            paths[name] = folder / f"{name}.safetensors"
            if key not in MADE:
                MADE[key] = call(function_of(study, job), {**arguments, "name": name, "out": paths[name]})
    return tables


if __name__ == "__main__":
    main()
