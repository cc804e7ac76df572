"""What the config says of the engine, as its own objects."""

from collections.abc import Mapping

from bench.phase_split.config import EngineConfig, PhaseSplitConfig
from bench.phase_split.engine.batch import Policy
from bench.phase_split.engine.fleet import FleetPlan
from bench.phase_split.engine.router import Rules

MODES: Mapping[str, Policy] = {"mixed": "together", "chunked": "chunked", "split": "split"}


def fleet_plan(engine: EngineConfig, gloo: bool = False) -> FleetPlan:
    return FleetPlan(engine.workers, engine.slots, engine.capacity, engine.boxes, gloo, engine.host, engine.port,
                     engine.device)  # fmt: skip


def rules(mode: str, config: PhaseSplitConfig) -> Rules:
    settings = config.serving
    tokens = settings.chunk_tokens if mode == "chunked" else settings.batch_tokens
    return Rules(MODES[mode], config.engine.prompt_workers, tokens)
