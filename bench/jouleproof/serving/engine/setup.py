"""What the config says of the engine, as its own objects."""

from collections.abc import Mapping

from jouleproof.serving.engine.batching import Policy
from jouleproof.serving.engine.fleet import FleetPlan
from jouleproof.serving.engine.router import Rules
from jouleproof.studies.phase_split.config import EngineConfig, PhaseSplitConfig

MODES: Mapping[str, Policy] = {"mixed": "together", "chunked": "chunked", "split": "split"}


def fleet_plan(engine: EngineConfig, gloo: bool = False) -> FleetPlan:
    return FleetPlan(engine.workers, engine.slots, engine.capacity, engine.boxes, gloo, engine.host, engine.port,
                     engine.device)  # fmt: skip


def rules(mode: str, config: PhaseSplitConfig) -> Rules:
    settings = config.serving
    tokens = settings.chunk_tokens if mode == "chunked" else settings.batch_tokens
    return Rules(MODES[mode], config.engine.prompt_workers, tokens)
