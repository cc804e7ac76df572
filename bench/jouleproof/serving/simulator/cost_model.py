"""How long an iteration takes on each machine of a cluster, and what it draws: what the event loop reads."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from jouleproof.errors import UserError
from jouleproof.serving.simulator import aiconfigurator, profile
from jouleproof.serving.simulator.kernel import Times
from jouleproof.serving.simulator.machines import Machine
from jouleproof.serving.simulator.served_models import SERVED_MODELS, ServedModel, served

POWER_OF = "a100-80gb"  # the only accelerator whose power was recorded


@dataclass(frozen=True, eq=False)
class Performance:
    """One machine and one model.

    tokens: (knots,); prompt_s, decode_s: (knots,) seconds at a number of prompt tokens, and of decodes in the published
    reading; prompt_w: (knots,) watts; affine: further seconds (kernel.Times); decode_w: watts. mixed:
    factor on a prompt's time where decodes are beside it, the published simulator's unless told.
    """

    tokens: np.ndarray
    prompt_s: np.ndarray
    decode_s: np.ndarray
    affine: np.ndarray
    prompt_w: np.ndarray
    decode_w: float
    mixed: float = 1.1

    def __post_init__(self) -> None:
        by_knot = (self.tokens, self.prompt_s, self.decode_s, self.prompt_w)
        if any(np.shape(each) != np.shape(self.tokens) for each in by_knot) or np.shape(self.affine) != (3,):
            shapes = ", ".join(str(np.shape(each)) for each in by_knot)
            raise UserError(f"performance: tokens, prompt_s, decode_s, prompt_w have the shapes {shapes}, affine "
                            f"{np.shape(self.affine)}; needed: one shape (knots,), and (3,)")  # fmt: skip
        if np.size(self.tokens) < 2 or (np.diff(self.tokens) <= 0).any():
            raise UserError("performance: tokens must rise, and be at least two")
        if not all(np.isfinite(each).all() for each in (*by_knot, self.affine, self.decode_w, self.mixed)):
            raise UserError("performance: a time or a power is not finite")

    def at(self, tokens: np.ndarray) -> "Performance":
        """The same with more knots."""
        if np.array_equal(tokens, self.tokens):
            return self
        prompt_s, decode_s = (beyond(tokens, self.tokens, each) for each in (self.prompt_s, self.decode_s))
        return replace(self, tokens=tokens, prompt_s=prompt_s, decode_s=decode_s,
                       prompt_w=np.interp(tokens, self.tokens, self.prompt_w))  # fmt: skip

    def slowed(self, factor: float) -> "Performance":
        """The same where every iteration takes so many times as long."""
        return replace(
            self, prompt_s=factor * self.prompt_s, decode_s=factor * self.decode_s, affine=factor * self.affine
        )

    def unloaded_prompt_s(self, prompt: np.ndarray) -> np.ndarray:
        return beyond(prompt, self.tokens, self.prompt_s)

    def unloaded_token_s(self, context: np.ndarray) -> np.ndarray:
        """Of one sequence alone."""
        return beyond(np.ones(len(context)), self.tokens, self.decode_s) + self.affine[0] + self.affine[2] * context


def beyond(value: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Straight lines through knots, the outer ones continued."""
    segment = np.clip(np.searchsorted(x, value) - 1, 0, len(x) - 2)
    slope = (y[segment + 1] - y[segment]) / (x[segment + 1] - x[segment])
    return slope * (value - x[segment]) + y[segment]


@lru_cache
def performance(machine: Machine, model: str | ServedModel, by_context: bool, tensor_parallel: int = 8) -> Performance:
    """by_context: decode time by batch and context, as measured; else by the published simulator's axis, which reads
    a column for prompt tokens at the number of decodes, so that decoding costs the same at any batch.

    A narrower format than the profile's (served_models.served) saves time of decoding alone: for weights,
    what the bytes that are not read take at the machine's memory rate; for the cache, in proportion to its bytes.
    """
    if isinstance(machine.profile, Performance):
        return machine.profile
    language_model = served(model)
    if callable(machine.profile):
        made = machine.profile(machine, language_model)
        if not isinstance(made, Performance):
            raise UserError(f"machine {machine.name}: its profile made a {type(made).__name__}, not a "
                            f"{__name__}.Performance")  # fmt: skip
        return made
    profiled = SERVED_MODELS[language_model.name]
    if machine.profile.startswith(aiconfigurator.PREFIX):
        tokens, prompt_s, decode_s, law = _from_aiconfigurator(machine, language_model, by_context, tensor_parallel)
    else:
        tokens, prompt_s, decode_s, law = _from_profile(machine.profile, language_model, by_context, tensor_parallel)
    affine = np.zeros(3)
    if law:
        cache = law.context * language_model.kv_bytes / profiled.kv_bytes
        decode_s, affine = np.full(len(tokens), law.constant), np.array([law.each, law.above, cache])
    decode_s = decode_s / machine.bandwidth
    decode_s -= (profiled.weight_bytes - language_model.weight_bytes) / machine.memory_bytes_per_s
    prompt_w, decode_w = _watts(machine, language_model, tokens)
    return Performance(tokens, prompt_s / machine.compute, decode_s, affine / machine.bandwidth, prompt_w, decode_w)


Laws = tuple[np.ndarray, np.ndarray, np.ndarray, profile.DecodeLaw | None]  # tokens, prompt_s, decode_s by the axis


def _from_profile(name: str, model: ServedModel, by_context: bool, tensor_parallel: int) -> Laws:
    group = model.profile, name, tensor_parallel
    knots = profile.of(profile.axis(), *group).sort_values("batch_tokens")
    tokens, prompt_s, decode_s = (
        knots[name].to_numpy(dtype=float) for name in ("batch_tokens", "prompt_time_s", "token_time_s")
    )
    law = profile.decode_law(profile.of(profile.cells(), *group)) if by_context else None
    return tokens, prompt_s, decode_s, law


def _from_aiconfigurator(machine: Machine, model: ServedModel, by_context: bool, tensor_parallel: int) -> Laws:
    if model.name != aiconfigurator.STANDS_FOR or not by_context:
        raise UserError(f"machine {machine.name}: {machine.profile} has times of {aiconfigurator.STANDS_FOR} alone, "
                        "and of decoding by batch and context alone")  # fmt: skip
    tokens = np.sort(profile.axis()["batch_tokens"].unique()).astype(float)
    system = str(machine.profile).removeprefix(aiconfigurator.PREFIX)
    prompt_s, law, _ = aiconfigurator.laws(system, tensor_parallel, tuple(tokens.tolist()))
    return tokens, prompt_s, np.zeros(len(tokens)), law


def _watts(machine: Machine, model: ServedModel, tokens: np.ndarray) -> tuple[np.ndarray, float]:
    """A run's peak is its prompt's power; its average, over many tokens, that of decoding. Shares of TDP as recorded on
    the A100, for other accelerators an assumption."""
    recorded = profile.of(profile.cells(), model.profile, POWER_OF, 8)
    recorded = recorded[recorded["peak_power_tdp"] > 0].assign(x=recorded["prompt_size"] * recorded["batch_size"])
    peaks = recorded.groupby("x")["peak_power_tdp"].median()
    if peaks.empty:
        raise ValueError(f"the profile has no power for {model.name}")
    share = np.interp(tokens, peaks.index.to_numpy(dtype=float), peaks.to_numpy())
    rest = machine.host_w
    return rest + machine.tdp_w * share, rest + machine.tdp_w * float(recorded["average_power_tdp"].median())


def times(kinds: Sequence[Performance]) -> Times:
    """On the knots of all of them."""
    tokens = kinds[0].tokens
    if any(not np.array_equal(kind.tokens, tokens) for kind in kinds):
        tokens = np.unique(np.concatenate([kind.tokens for kind in kinds])).astype(float)
        kinds = [kind.at(tokens) for kind in kinds]
    return Times(
        tokens=kinds[0].tokens,
        prompt_s=np.stack([kind.prompt_s for kind in kinds]),
        decode_s=np.stack([kind.decode_s for kind in kinds]),
        prompt_w=np.stack([kind.prompt_w for kind in kinds]),
        affine=np.stack([kind.affine for kind in kinds]),
        decode_w=np.array([kind.decode_w for kind in kinds]),
        mixed=np.array([kind.mixed for kind in kinds]),
    )
