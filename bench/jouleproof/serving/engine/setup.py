"""Conversion of the engine's config into its objects."""

from collections.abc import Mapping, Sequence

from jouleproof.inputs import Problem
from jouleproof.models.decoder import Decoder, first_layers, random_decoder
from jouleproof.models.smollm2 import LanguageModel
from jouleproof.serving.config import EngineConfig, ServingConfig
from jouleproof.serving.engine.fleet import FleetPlan
from jouleproof.serving.engine.router import Rules
from jouleproof.serving.engine.traffic import text
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


def served_decoder(
    engine: EngineConfig, layers: int, problems: Sequence[Problem], model: LanguageModel
) -> tuple[Decoder, list[int]]:
    """Return the first layers of the model, or of a random one of the same shape, and the tokens of the problems."""
    network = random_decoder(model.network.shape, seed=0) if engine.model == "random" else model.network
    return first_layers(network, layers), text(problems, model.tokens)
