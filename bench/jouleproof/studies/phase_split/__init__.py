"""Phase splitting: the prompt and token phases of LLM inference on separate machines."""

from jouleproof.studies.phase_split.config import PhaseSplitConfig
from jouleproof.study import Experiment, Study

TRACES = ("azure_conv", "azure_code")
MODEL = ("gsm8k_test", "smollm2_135m")

STUDY = Study(
    "phase_split",
    "phase splitting",
    config=PhaseSplitConfig,
    experiments={
        "profile": Experiment(
            "experiments.profile:profile_table", knobs=(), inputs=("splitwise_profile",), group="small"
        ),
        "laws": Experiment("experiments.profile:laws", knobs=(), inputs=("splitwise_profile",), group="small"),
        "traces": Experiment("experiments.traces:traces", knobs=(), inputs=TRACES, group="small"),
        "phases": Experiment("experiments.phases:phases", knobs=(), inputs=TRACES, group="small"),
        "capacity": Experiment(
            "experiments.headlines:capacity",
            knobs=("designs", "load", "capacity"),
            inputs=TRACES,
            resources={"runtime": 240},
        ),
        "headlines": Experiment(
            "experiments.headlines:headlines",
            knobs=("load", "capacity"),
            inputs=TRACES,
            resources={"runtime": 480},
        ),
        "corrections": Experiment(
            "experiments.headlines:corrections",
            knobs=("load", "capacity"),
            inputs=TRACES,
            resources={"runtime": 1440},
        ),
        "robustness": Experiment(
            "experiments.robustness:robustness",
            knobs=("load", "capacity"),
            inputs=TRACES,
            resources={"runtime": 240},
        ),
        "latency": Experiment(
            "experiments.latency:latency", knobs=("designs", "load", "capacity", "latency"), inputs=TRACES
        ),
        "design_space": Experiment(
            "experiments.design_space:design_space", knobs=("load", "design_space"), inputs=TRACES
        ),
        "transfer": Experiment("experiments.transfer:transfer", knobs=("load", "transfer"), inputs=TRACES),
        "simulator_speed": Experiment(
            "experiments.simulator_speed:simulator_speed", knobs=("load", "speed"), inputs=TRACES, timed=True
        ),
        "beyond": Experiment("experiments.beyond:beyond", knobs=("load", "capacity", "beyond"), inputs=TRACES),
        "service_energy": Experiment(
            "experiments.service_energy:service_energy",
            knobs=("load", "capacity", "beyond", "service_energy"),
            inputs=TRACES,
        ),
        "active": Experiment("experiments.active:active", knobs=("load", "active"), inputs=TRACES),
        "week": Experiment("experiments.week:week", knobs=("load", "week"), inputs=TRACES),
        "power_trace": Experiment(
            "experiments.power_trace:power_trace", knobs=("load", "power_trace"), inputs=TRACES, group="small"
        ),
        "serving": Experiment(
            "experiments.serving:serving",
            knobs=("engine", "serving"),
            inputs=(*TRACES, *MODEL),
            timed=True,
            resources={"runtime": 720},
        ),
        "moves": Experiment(
            "experiments.moves:moves",
            knobs=("engine", "moves"),
            inputs=MODEL,
            timed=True,
            resources={"runtime": 360},
        ),
        "roofline": Experiment(
            "experiments.roofline:roofline",
            knobs=("engine", "roofline"),
            inputs=MODEL,
            timed=True,
            resources={"runtime": 360},
        ),
    },
)
