"""Knobs of the simulator's load and of the engine, with units and defaults."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from jouleproof.errors import UserError
from jouleproof.knobs import Above, Positive, Strict, config_error

Service = Literal["conv", "code"]


class LoadConfig(Strict):
    """The requests that are generated for a simulation."""

    seconds: Above = Field(120.0, description="length of the arrivals")
    warm_up: Above = Field(30.0, description="seconds at the start whose requests the corrected reading ignores")
    drain: Above = Field(10.0, description="seconds at the end whose requests it ignores")
    hour_s: Above = Field(3600.0, description="length of the arrivals in seconds if they have the pace of the trace")


class EngineConfig(Strict):
    """The workers that serve a language model.

    model: SmolLM2-135M, or random weights of the same shape. device: one core or one GPU per worker. host, port: the
    address at which workers that use sockets meet; they listen on no other.
    """

    model: Literal["smollm2_135m", "random"] = "smollm2_135m"
    layers: Positive = Field(4, description="number of the model's layers that are served, from the first")
    workers: Annotated[int, Field(ge=2)] = 2
    prompt_workers: Positive = Field(1, description="workers that read prompts if the phases are split")
    slots: Positive = Field(32, description="requests that a worker holds at once")
    capacity: Annotated[int, Field(ge=16)] = Field(512, description="tokens that the KV cache of a request can hold")
    boxes: Positive = Field(8, description="caches in transfer at once")
    device: Literal["cpu", "cuda"] = "cpu"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, lt=65536)] = Field(0, description="port to listen on; 0 takes any free port")


class ServingConfig(Strict):
    """Settings for serving the same requests with mixed, chunked and split phases. By default a batch has 2,048 tokens,
    as in the source, divided by `scale`, or 512 divided by `scale` if prompts are read in chunks."""

    service: Service = "conv"
    scale: Above = Field(8.0, description="divisor of the trace's lengths")
    batch_tokens: Positive = 256
    chunk_tokens: Positive = 64
    loads: Annotated[list[Above], Field(min_length=1)] = Field(
        [0.5, 0.85], description="request rates, as shares of the prompt workers' capacity"
    )
    requests: Positive = Field(30, description="requests per run")
    warm_up: Annotated[int, Field(ge=0)] = Field(5, description="first requests of a run, which do not count")
    repeats: Annotated[int, Field(ge=2)] = 3
    tries: Positive = Field(3, description="attempts at a run whose workers do not get their processor time")
    shape_repeats: Positive = Field(1, description="measurements of each iteration shape before every repeat")
    checked: Positive = Field(6, description="requests whose tokens are compared with the plain decoder's")
    near_tie: Above = Field(1e-3, description="difference of two logits below which rounding may swap them")


class _Served(Strict):
    engine: EngineConfig = EngineConfig()
    serving: ServingConfig = ServingConfig()


def read_engine_config(path: Path | None) -> tuple[EngineConfig, ServingConfig]:
    """Read the sections `engine` and `serving` of a JSON file, or return the defaults if there is no file.

    Raises UserError with one line per wrong knob.
    """
    if path is None:
        return EngineConfig(), ServingConfig()
    try:
        config = _Served.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UserError(f"config: {path} cannot be read ({error.strerror})") from error
    except ValidationError as error:
        raise UserError(config_error(str(path), error, _Served)) from error
    return config.engine, config.serving
