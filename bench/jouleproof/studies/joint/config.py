"""Every knob of the study of the levers together. A pair is an assumption: a range that is sampled uniformly."""

import math
from typing import Annotated, Any, Literal, cast

from pydantic import Field, model_validator

from jouleproof.knobs import Strict

Span = Annotated[list[float], Field(min_length=2, max_length=2)]
ASSUMED = "assumption"
POWER = "assumption; an H100 at the A100's share of its TDP"


def _span(low: float, high: float, what: str, source: str = ASSUMED, most: float = math.inf) -> Any:
    return Field([low, high], description=what, json_schema_extra={"source": source, "most": most})


def _share(low: float, high: float, what: str, source: str = ASSUMED) -> Any:
    return _span(low, high, what, source, most=1.0)


class AssumptionsConfig(Strict):
    """Lowest and highest values of quantities that no table of another study gives."""

    stored_bits: Span = _span(
        4.25, 8.25, "MX: bits of a stored weight or cache value", "MXFP4 to MXFP8; what they lose: MX study"
    )
    realised: Span = _share(
        0.5,
        1.0,
        "MX: share of the saved bytes' time that kernels save",
        "assumption; packed products of the MX study save half to three quarters, on a processor",
    )
    split_realised: Span = _share(0.7, 1.0, "splitting: share of what it changes in the simulator that a cluster gets")
    prompt_power: Span = _span(0.85, 1.15, "power while reading prompts, over the simulator's", POWER)
    token_power: Span = _span(0.85, 1.15, "power while decoding, over the simulator's", POWER)
    host_power: Span = _span(0.5, 1.5, "power of a host, over 1,000 W")
    idle_power: Span = _span(0.5, 2.0, "power of idle accelerators, over 15 % of TDP")
    day_level: Span = _span(0.5, 1.0, "mean load of the time that machines stand ready, over the hour's")
    neighbours: Span = _share(0.0, 1.0, "placement: from a hall of this service alone (0) to the placement study's (1)")
    packed: Span = _share(0.0, 1.0, "placement: how far the plain hall packs rows full (1) or spreads (0)")
    placed_joules: Span = _share(
        0.0,
        1.0,
        "placement: share of the fleet's change of joules per work that this service sees",
        "assumption; placement moves machines, not requests",
    )
    overlap: Span = _share(
        0.0,
        1.0,
        "small model: how far its right answers lie within the large model's",
        "bounds of two shares (Fréchet): as little as they allow (0), as much (1)",
    )
    recognised: Span = _share(0.4, 0.85, "small model: share of what it can answer that the router sends to it")
    mistaken: Span = _share(0.05, 0.3, "small model: share of what it cannot answer that the router sends to it")
    short: Span = _share(0.0, 1.0, "small model: from any of the requests (0) to those with the shortest answers (1)")
    small_overhead: Span = _span(
        0.8,
        1.5,
        "small model: host, idle time and batching, over the large model's share",
        "assumption; the laws know boards that are busy",
    )
    small_mx: Span = _share(0.0, 1.0, "small model: share of what MX saves the large one that it saves the small one")
    router: Span = _span(0.0, 0.01, "router: its joules for a request, over the plain system's")

    @model_validator(mode="after")
    def _rising(self) -> "AssumptionsConfig":
        for name, field in type(self).model_fields.items():
            low, high = getattr(self, name)
            most = cast(dict[str, float], field.json_schema_extra)["most"]
            if not 0 <= low <= high <= most:
                raise ValueError(f"{name}: expected 0 <= low <= high <= {most:g}, got [{low}, {high}]")
        return self


class JointConfig(Strict):
    """The models and ways of serving that the levers start from. small, large, stands_for: language models by their
    names on the model cards; stands_for replaces `large` if a card has no score of it. plain: ways of serving that the
    levers start from; the others are compared with the first."""

    draws: Annotated[int, Field(ge=100)] = 4000
    seed: Annotated[int, Field(ge=0)] = 0
    plain: Annotated[list[Literal["together", "chunked"]], Field(min_length=1)] = ["together", "chunked"]
    small: str = "Phi-3-mini"
    large: str = "Llama 3 70B"
    stands_for: str = "GPT-3.5"
    row: Annotated[int, Field(gt=0)] = Field(10, description="servers per row in the placement study")
    assumptions: AssumptionsConfig = AssumptionsConfig()
