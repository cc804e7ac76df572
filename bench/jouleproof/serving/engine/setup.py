"""Conversion of the engine's config into the engine's objects."""

from collections.abc import Mapping

from jouleproof.serving.config import EngineConfig, ServingConfig
from jouleproof.serving.engine.fleet import FleetPlan
from jouleproof.serving.engine.router import Rules
from jouleproof.serving.rules import Policy

MODES: Mapping[str, Policy] = {"mixed": "together", "chunked": "chunked", "split": "split"}


def fleet_plan(engine: EngineConfig, gloo: bool = False) -> FleetPlan:
    return FleetPlan(
        workers=engine.workers,
        slots=engine.slots,
        capacity=engine.capacity,
        boxes=engine.boxes,
        gloo=gloo,
        host=engine.host,
        port=engine.port,
        device=engine.device,
    )


def rules(mode: str, engine: EngineConfig, serving: ServingConfig) -> Rules:
    tokens = serving.chunk_tokens if mode == "chunked" else serving.batch_tokens
    return Rules(MODES[mode], engine.prompt_workers, tokens)
