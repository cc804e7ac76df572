"""Experiments on MX number formats: storage, numerical error, and the effect on real models, speed and silicon."""

from jouleproof.studies.mx.config import MxConfig
from jouleproof.study import Experiment, Study

CASTS = ("formats", "scales")
LANGUAGE = ("gsm8k_test", "smollm2_135m")

STUDY = Study(
    "mx",
    "MX formats",
    config=MxConfig,
    experiments={
        "formats": Experiment("experiments.formats:formats", knobs=("formats",), group="small"),
        "qsnr": Experiment("experiments.qsnr:qsnr", knobs=(*CASTS, "qsnr")),
        "error_sources": Experiment("experiments.error_sources:error_sources", knobs=(*CASTS, "error_sources")),
        "qsnr_on_weights": Experiment(
            "experiments.qsnr_on_weights:qsnr_on_weights",
            knobs=(*CASTS, "qsnr_on_weights"),
            inputs=(*LANGUAGE, "minilm_l6"),
        ),
        "direct_cast_language": Experiment(
            "experiments.direct_cast:direct_cast_language",
            knobs=("formats", "direct_cast"),
            inputs=LANGUAGE,
            priority=1,
            resources={"runtime": 720},
        ),
        "direct_cast_embedding": Experiment(
            "experiments.direct_cast:direct_cast_embedding",
            knobs=("formats", "direct_cast"),
            inputs=("gsm8k_test", "minilm_l6"),
            resources={"runtime": 240},
        ),
        "conformance": Experiment("experiments.conformance:conformance", knobs=(*CASTS, "conformance")),
        "wire": Experiment("experiments.wire:wire", knobs=("formats", "wire"), inputs=LANGUAGE, timed=True),
        "training": Experiment(
            "experiments.training:training",
            knobs=("formats", "training"),
            inputs=("gsm8k_train", "gsm8k_test"),
            priority=1,
            resources={"runtime": 2880},
        ),
        "silicon": Experiment("experiments.silicon:silicon", knobs=(*CASTS, "qsnr", "silicon"), group="small"),
        "peak_rates": Experiment("experiments.peak_rates:peak_rates", knobs=(), group="small"),
        "throughput": Experiment("experiments.throughput:throughput", knobs=("formats", "throughput"), timed=True),
        "matvec": Experiment("experiments.matvec:matvec", knobs=("formats", "matvec"), timed=True),
        "decode": Experiment("experiments.decode:decode", knobs=("formats", "decode"), inputs=LANGUAGE, timed=True),
    },
)
