"""Small and large language models: what an answer costs, how often it is right, and what was published."""

from jouleproof.studies.slm_energy.config import SlmEnergyConfig
from jouleproof.study import Experiment, Study

SMOLLM2 = ("smollm2_135m",)
BUDGETS = ("ladder", "ladder_equal_flops")

STUDY = Study(
    "slm_energy",
    "small models",
    config=SlmEnergyConfig,
    checkpoints="training_spec:checkpoints",
    experiments={
        "quality": Experiment(
            "experiments.quality:quality",
            knobs=("quality",),
            inputs=("gsm8k_test", "gsm8k_train", *SMOLLM2),
            resources={"runtime": 1440},
        ),
        "cost": Experiment(
            "experiments.cost:cost",
            knobs=("meters", "quality", "cost"),
            inputs=SMOLLM2,
            results=("quality",),
            timed=True,
            resources={"runtime": 240, "mem_mb": 12_000},
        ),
        "tuning": Experiment(
            "experiments.tuning:tuning",
            knobs=("tuning",),
            inputs=(*SMOLLM2, "gsm8k_train", "gsm8k_test"),
            resources={"runtime": 1440, "mem_mb": 16_000},
        ),
        "engines": Experiment("experiments.engines:engines", knobs=("meters", "engines"), inputs=SMOLLM2, timed=True),
        "tuning_cost": Experiment(
            "experiments.tuning:tuning_cost",
            knobs=("meters", "tuning"),
            inputs=(*SMOLLM2, "gsm8k_train"),
            timed=True,
            resources={"runtime": 240, "mem_mb": 16_000},
        ),
        "ladder": Experiment("experiments.ladder:ladder", knobs=("ladder",), checkpoints=("equal_steps_*",)),
        "ladder_equal_flops": Experiment(
            "experiments.ladder:ladder_equal_flops", knobs=("ladder",), checkpoints=("equal_*",)
        ),
        "fine_tuning": Experiment(
            "experiments.fine_tuning:fine_tuning",
            knobs=("ladder", "fine_tuning"),
            results=BUDGETS,
            checkpoints=("*",),
        ),
        "ladder_cost": Experiment(
            "experiments.ladder_cost:ladder_cost",
            knobs=("meters", "ladder", "fine_tuning", "ladder_cost"),
            results=(*BUDGETS, "fine_tuning"),
            timed=True,
        ),
        "ladder_energy": Experiment(
            "experiments.ladder_cost:ladder_energy",
            knobs=("power", "ladder", "ladder_cost"),
            results=(*BUDGETS, "ladder_cost"),
            timed=True,
        ),
        "meter_audit": Experiment("experiments.meter_audit:meter_audit", knobs=("meters", "power"), timed=True),
        "cards": Experiment("experiments.cards:cards", knobs=(), group="small"),
        "energy_points": Experiment(
            "experiments.energy_law:energy_points", knobs=(), inputs=("mlenergy",), group="small"
        ),
        "energy_law": Experiment(
            "experiments.energy_law:energy_law", knobs=("energy_law",), results=("energy_points",), group="small"
        ),
        "answers": Experiment(
            "experiments.answers:answers",
            knobs=("power", "energy_law", "answers"),
            results=("energy_law",),
            group="small",
        ),
    },
)
