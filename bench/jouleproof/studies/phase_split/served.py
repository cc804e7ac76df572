"""The model that the engine serves, and the tokens of its prompts."""

from collections.abc import Sequence

from jouleproof.inputs import Problem
from jouleproof.models.decoder import Decoder, first_layers, random_decoder
from jouleproof.models.smollm2 import LanguageModel
from jouleproof.serving.config import EngineConfig
from jouleproof.serving.engine.traffic import text


def served_decoder(
    engine: EngineConfig, layers: int, problems: Sequence[Problem], model: LanguageModel
) -> tuple[Decoder, list[int]]:
    """Return the first layers of the model, or of one of its shape with random weights, and the tokens of the
    problems."""
    network = random_decoder(model.network.shape, seed=0) if engine.model == "random" else model.network
    return first_layers(network, layers), text(problems, model.tokens)
