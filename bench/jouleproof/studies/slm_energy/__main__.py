"""`python -m jouleproof.studies.slm_energy EXPERIMENT --config FILE --input RECORD … --result FILE … --out FILE`."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jouleproof.errors import one_line_errors
from jouleproof.studies.slm_energy.config import SlmEnergyConfig
from jouleproof.study import Experiment, Job, command_line, read_config

if TYPE_CHECKING:
    import pandas as pd

    from jouleproof.inputs import Problem
    from jouleproof.models.smollm2 import LanguageModel


def quality(job: Job[SlmEnergyConfig]) -> "pd.DataFrame":
    """How well real weights do on tasks, in every format."""
    from jouleproof.inputs import read_gsm8k
    from jouleproof.studies.slm_energy.experiments import quality as room

    test, train = (read_gsm8k(job.inputs[name].path()) for name in ("gsm8k_test", "gsm8k_train"))
    return room.quality(job.config, test, train, {"smollm2_135m": job.inputs["smollm2_135m"].path()})


def cost(job: Job[SlmEnergyConfig]) -> "pd.DataFrame":
    """Processor time of real shapes, by token, answer and correct answer."""
    from jouleproof.models.smollm2 import load_smollm2
    from jouleproof.studies.slm_energy.experiments import cost as room

    decoder = load_smollm2(job.inputs["smollm2_135m"].path()).network
    return room.cost(job.config, decoder, job.results["quality"])


def tuning(job: Job[SlmEnergyConfig]) -> "pd.DataFrame":
    """Real weights fine-tuned, whole or by LoRA."""
    from jouleproof.studies.slm_energy.experiments import tuning as room

    return room.tuning(job.config, *_to_tune(job))


def tuning_cost(job: Job[SlmEnergyConfig]) -> "pd.DataFrame":
    """Processor time of a step of fine-tuning."""
    from jouleproof.studies.slm_energy.experiments import tuning as room

    return room.tuning_cost(job.config, *_to_tune(job)[:2])


def engines(job: Job[SlmEnergyConfig]) -> "pd.DataFrame":
    """The same weights in several programs."""
    from jouleproof.models.smollm2 import load_smollm2
    from jouleproof.studies.slm_energy.experiments import engines as room

    file = job.inputs["smollm2_135m"].path()
    return room.engines(job.config, load_smollm2(file), file)


def _to_tune(job: Job[SlmEnergyConfig]) -> "tuple[LanguageModel, list[Problem], list[Problem]]":
    from jouleproof.inputs import read_gsm8k
    from jouleproof.models.smollm2 import load_smollm2

    train, test = (read_gsm8k(job.inputs[name].path()) for name in ("gsm8k_train", "gsm8k_test"))
    return load_smollm2(job.inputs["smollm2_135m"].path()), train, test


def meter_audit(job: Job[SlmEnergyConfig]) -> "pd.DataFrame":
    """One workload under several meters."""
    from jouleproof.studies.slm_energy.experiments import meter_audit as room

    return room.meter_audit(job.config)


def ladder(job: Job[SlmEnergyConfig]) -> "pd.DataFrame":
    """Models of rising size trained from scratch in equally many steps."""
    from jouleproof.studies.slm_energy.experiments import ladder as room
    from jouleproof.studies.slm_energy.ladder_runs import EQUAL_STEPS

    return room.ladder(job.config, EQUAL_STEPS)


def ladder_equal_flops(job: Job[SlmEnergyConfig]) -> "pd.DataFrame":
    """The same sizes trained with equal FLOPs; after the others, whose run of one size it shares and reads."""
    from jouleproof.studies.slm_energy.experiments import ladder as room
    from jouleproof.studies.slm_energy.ladder_runs import EQUAL_FLOPS

    return room.ladder(job.config, EQUAL_FLOPS)


def fine_tuning(job: Job[SlmEnergyConfig]) -> "pd.DataFrame":
    """Two of those fine-tuned to longer problems."""
    from jouleproof.studies.slm_energy.experiments import fine_tuning as room

    return room.fine_tuning(job.config, *(job.results[name] for name in BUDGETS))


def ladder_cost(job: Job[SlmEnergyConfig]) -> "pd.DataFrame":
    """Processor time of an answer and of a training step, by size."""
    from jouleproof.studies.slm_energy.experiments import ladder_cost as room

    return room.ladder_cost(job.config, *(job.results[name] for name in LADDER))


def ladder_energy(job: Job[SlmEnergyConfig]) -> "pd.DataFrame":
    """Joules of a right answer by size, modelled."""
    from jouleproof.studies.slm_energy.experiments import ladder_cost as room

    return room.ladder_energy(job.config, *(job.results[name] for name in ENERGY))


def cards(job: Job[SlmEnergyConfig]) -> "pd.DataFrame":
    """What model cards say, and against whom their subject wins."""
    from jouleproof.studies.slm_energy.experiments import cards as room

    return room.cards()


def energy_points(job: Job[SlmEnergyConfig]) -> "pd.DataFrame":
    """Energy of a token as ML.ENERGY measured it."""
    from jouleproof.inputs import read_energy
    from jouleproof.studies.slm_energy.experiments import energy_law as room

    return room.energy_points(read_energy(job.inputs["mlenergy"].path()))


def energy_law(job: Job[SlmEnergyConfig]) -> "pd.DataFrame":
    """Power laws in parameters and batch that fit it."""
    from jouleproof.studies.slm_energy.experiments import energy_law as room

    return room.energy_law(job.config, job.results["energy_points"])


def answers(job: Job[SlmEnergyConfig]) -> "pd.DataFrame":
    """Energy of a right answer of published models, by those laws."""
    from jouleproof.studies.slm_energy.experiments import answers as room

    return room.answers(job.config, job.results["energy_law"])


BUDGETS = ("ladder", "ladder_equal_flops")
ENERGY = (*BUDGETS, "ladder_cost")
LADDER = (*BUDGETS, "fine_tuning")
REAL = ("smollm2_135m", "gsm8k_test", "gsm8k_train")

EXPERIMENTS: Mapping[str, Experiment[SlmEnergyConfig]] = {
    "quality": Experiment(quality, inputs=REAL),
    "cost": Experiment(cost, inputs=("smollm2_135m",), results=("quality",), timed=True),
    "tuning": Experiment(tuning, inputs=REAL),
    "engines": Experiment(engines, inputs=("smollm2_135m",), timed=True),
    "tuning_cost": Experiment(tuning_cost, inputs=REAL, timed=True),
    "ladder": Experiment(ladder),
    "ladder_equal_flops": Experiment(ladder_equal_flops, results=("ladder",)),
    "fine_tuning": Experiment(fine_tuning, results=BUDGETS),
    "ladder_cost": Experiment(ladder_cost, results=LADDER, timed=True),
    "ladder_energy": Experiment(ladder_energy, results=ENERGY, timed=True),
    "meter_audit": Experiment(meter_audit, timed=True),
    "cards": Experiment(cards),
    "energy_points": Experiment(energy_points, inputs=("mlenergy",)),
    "energy_law": Experiment(energy_law, results=("energy_points",)),
    "answers": Experiment(answers, results=("energy_law",)),
}

app = command_line("slm_energy", SlmEnergyConfig, EXPERIMENTS)


@app.command()
def meters(
    config: Annotated[Path | None, typer.Option(help="The study's config (JSON).")] = None,
    seconds: Annotated[float, typer.Option(help="How long each counter is watched.")] = 2.0,
    every: Annotated[float, typer.Option(help="Seconds between two samples.")] = 0.5,
) -> None:
    """What this machine can measure, and what is modelled instead."""
    from jouleproof.studies.slm_energy.meter_report import told

    with one_line_errors():
        chosen = read_config(config, SlmEnergyConfig) if config else SlmEnergyConfig()
        for line in told(chosen.meters.meter, chosen.power, seconds, every, time.sleep):
            print(line)


if __name__ == "__main__":
    app()
