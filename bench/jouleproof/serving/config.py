"""Knobs of the load that is drawn for the simulator, and of the engine, with unit and default."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from jouleproof.errors import UserError
from jouleproof.knobs import Above, Positive, Strict, config_error

Service = Literal["conv", "code"]


class LoadConfig(Strict):
    """Requests that are generated for a simulation."""

    seconds: Above = Field(120.0, description="of arrivals")
    warm_up: Above = Field(30.0, description="seconds of arrivals that do not count in the corrected reading")
    drain: Above = Field(10.0, description="seconds of arrivals at the end that do not count in it")
    hour_s: Above = Field(3600.0, description="seconds of the trace at its own pace, where that is served")


class EngineConfig(Strict):
    """Workers that serve a language model for real.

    model: SmolLM2-135M, or a model of its shape with random weights. device: a core for each worker, or a GPU. host,
    port: where workers that communicate over sockets meet; nothing else listens.
    """

    model: Literal["smollm2_135m", "random"] = "smollm2_135m"
    layers: Positive = Field(4, description="of the model's; the first so many")
    workers: Annotated[int, Field(ge=2)] = 2
    prompt_workers: Positive = Field(1, description="of them, where the phases are split")
    slots: Positive = Field(32, description="texts that a worker holds at once")
    capacity: Annotated[int, Field(ge=16)] = Field(512, description="tokens of a text")
    boxes: Positive = Field(8, description="caches that are on their way at once")
    device: Literal["cpu", "cuda"] = "cpu"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, lt=65536)] = Field(0, description="any that is free at 0")


class ServingConfig(Strict):
    """Settings for serving the same requests with mixed, chunked and split phases. A batch has the source's 2,048
    tokens over `scale`, and 512 over `scale` where prompts are read in chunks."""

    service: Service = "conv"
    scale: Above = Field(8.0, description="that the trace's lengths are divided by")
    batch_tokens: Positive = 256
    chunk_tokens: Positive = 64
    loads: Annotated[list[Above], Field(min_length=1)] = Field(
        [0.5, 0.85], description="shares of what the prompt workers can take"
    )
    requests: Positive = Field(30, description="of a run")
    warm_up: Annotated[int, Field(ge=0)] = Field(5, description="of them, the first, which do not count")
    repeats: Annotated[int, Field(ge=2)] = 3
    tries: Positive = Field(3, description="of a run that did not get its processor time")
    shape_repeats: Positive = Field(1, description="of each measured shape of an iteration, before every repeat")
    checked: Positive = Field(6, description="requests whose tokens are compared with the plain decoder's")
    near_tie: Above = Field(1e-3, description="difference of two logits that rounding may turn around")


class _Served(Strict):
    engine: EngineConfig = EngineConfig()
    serving: ServingConfig = ServingConfig()


def read_engine_config(path: Path | None) -> tuple[EngineConfig, ServingConfig]:
    """Read the sections `engine` and `serving` of a JSON file; without a file, return the defaults.

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
