"""`python -m jouleproof.studies.mx EXPERIMENT --config FILE --input RECORD … --out FILE`: run one experiment of the study."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from jouleproof.studies.mx.config import MxConfig
from jouleproof.study import Experiment, Job, command_line

if TYPE_CHECKING:
    import pandas as pd

    from jouleproof.inputs import Problem
    from jouleproof.models.minilm import EmbeddingModel
    from jouleproof.models.smollm2 import LanguageModel


def _problems(job: Job[MxConfig]) -> "list[Problem]":
    from jouleproof.inputs import read_gsm8k

    return read_gsm8k(job.inputs["gsm8k_test"].path())


def _language_model(job: Job[MxConfig]) -> "LanguageModel":
    from jouleproof.models.smollm2 import load_smollm2

    print("mx: reading SmolLM2-135M", file=sys.stderr, flush=True)
    return load_smollm2(job.inputs["smollm2_135m"].path())


def _encoder(job: Job[MxConfig]) -> "EmbeddingModel":
    from jouleproof.models.minilm import load_minilm

    print("mx: reading all-MiniLM-L6-v2", file=sys.stderr, flush=True)
    record = job.inputs["minilm_l6"]
    return load_minilm(record.path("model.safetensors"), record.path("config.json"), record.path("tokenizer.json"))


def formats(job: Job[MxConfig]) -> "pd.DataFrame":
    """Size, range and resolution of every format."""
    from jouleproof.studies.mx.experiments import formats as room

    return room.formats(job.config)


def qsnr(job: Job[MxConfig]) -> "pd.DataFrame":
    """QSNR on generated vectors."""
    from jouleproof.studies.mx.experiments import qsnr as room

    return room.qsnr(job.config)


def error_sources(job: Job[MxConfig]) -> "pd.DataFrame":
    """Where the error of a cast comes from: scale rule, block size, rounding, saturation."""
    from jouleproof.studies.mx.experiments import error_sources as room

    return room.error_sources(job.config)


def qsnr_on_weights(job: Job[MxConfig]) -> "pd.DataFrame":
    """QSNR on the tensors of two real models."""
    from jouleproof.studies.mx.experiments import qsnr_on_weights as room

    return room.qsnr_on_weights(job.config, _problems(job), _language_model(job), _encoder(job))


def direct_cast_language(job: Job[MxConfig]) -> "pd.DataFrame":
    """Loss of SmolLM2-135M with its linear layers cast."""
    from jouleproof.studies.mx.experiments import direct_cast as room

    return room.direct_cast_language(job.config, _problems(job), _language_model(job))


def direct_cast_embedding(job: Job[MxConfig]) -> "pd.DataFrame":
    """Embeddings of all-MiniLM-L6-v2 with its linear layers cast."""
    from jouleproof.studies.mx.experiments import direct_cast as room

    return room.direct_cast_embedding(job.config, _problems(job), _encoder(job))


def conformance(job: Job[MxConfig]) -> "pd.DataFrame":
    """Agreement with other libraries, bit by bit, and invariants of every cast."""
    from jouleproof.studies.mx.experiments import conformance as room

    return room.conformance(job.config)


def wire(job: Job[MxConfig]) -> "pd.DataFrame":
    """Gradients and a KV cache between two processes."""
    from jouleproof.studies.mx.experiments import wire as room

    return room.wire(job.config, _problems(job), _language_model(job))


def silicon(job: Job[MxConfig]) -> "pd.DataFrame":
    """Modelled area and energy of dot-product units, and their QSNR."""
    from jouleproof.studies.mx.experiments import silicon as room

    return room.silicon(job.config)


def peak_rates(job: Job[MxConfig]) -> "pd.DataFrame":
    """Published dense peak rates of accelerators by format."""
    from jouleproof.studies.mx.experiments import peak_rates as room

    return room.peak_rates()


def training(job: Job[MxConfig]) -> "pd.DataFrame":
    """Training from scratch under MX recipes, and direct casts of what it ends at."""
    from jouleproof.inputs import read_gsm8k
    from jouleproof.studies.mx.experiments import training as room

    splits = [read_gsm8k(job.inputs[name].path()) for name in ("gsm8k_train", "gsm8k_test")]
    return room.training(job.config, *splits)


def throughput(job: Job[MxConfig]) -> "pd.DataFrame":
    """Speed of casts, beside a copy and other libraries; prints the ratios."""
    from jouleproof.studies.mx.experiments import throughput as room

    table = room.throughput(job.config)
    print(room.ratios(table).to_string())
    return table


def matvec(job: Job[MxConfig]) -> "pd.DataFrame":
    """Speed of matrix-vector products on packed weights."""
    from jouleproof.studies.mx.experiments import matvec as room

    return room.matvec(job.config)


def decode(job: Job[MxConfig]) -> "pd.DataFrame":
    """Speed of SmolLM2-135M with its linear layers packed."""
    from jouleproof.studies.mx.experiments import decode as room

    return room.decode(job.config, _problems(job), _language_model(job))


EXPERIMENTS: Mapping[str, Experiment[MxConfig]] = {
    "formats": Experiment(formats),
    "qsnr": Experiment(qsnr),
    "error_sources": Experiment(error_sources),
    "qsnr_on_weights": Experiment(qsnr_on_weights, inputs=("gsm8k_test", "smollm2_135m", "minilm_l6")),
    "direct_cast_language": Experiment(direct_cast_language, inputs=("gsm8k_test", "smollm2_135m")),
    "direct_cast_embedding": Experiment(direct_cast_embedding, inputs=("gsm8k_test", "minilm_l6")),
    "conformance": Experiment(conformance),
    "wire": Experiment(wire, inputs=("gsm8k_test", "smollm2_135m"), timed=True),
    "training": Experiment(training, inputs=("gsm8k_train", "gsm8k_test")),
    "silicon": Experiment(silicon),
    "peak_rates": Experiment(peak_rates),
    "throughput": Experiment(throughput, timed=True),
    "matvec": Experiment(matvec, timed=True),
    "decode": Experiment(decode, inputs=("gsm8k_test", "smollm2_135m"), timed=True),
}

app = command_line("mx", MxConfig, EXPERIMENTS)

if __name__ == "__main__":
    app()
