"""What the config says of the engine, as its own objects."""

from collections.abc import Mapping

from jouleproof.serving.config import EngineConfig, ServingConfig
from jouleproof.serving.engine.batching import Policy
from jouleproof.serving.engine.fleet import FleetPlan
from jouleproof.serving.engine.router import Rules

MODES: Mapping[str, Policy] = {"mixed": "together", "chunked": "chunked", "split": "split"}


def fleet_plan(engine: EngineConfig, gloo: bool = False) -> FleetPlan:
    return FleetPlan(engine.workers, engine.slots, engine.capacity, engine.boxes, gloo, engine.host, engine.port,
                     engine.device)  # fmt: skip


def rules(mode: str, engine: EngineConfig, serving: ServingConfig) -> Rules:
    tokens = serving.chunk_tokens if mode == "chunked" else serving.batch_tokens
    return Rules(MODES[mode], engine.prompt_workers, tokens)
