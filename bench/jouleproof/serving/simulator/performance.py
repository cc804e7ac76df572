"""The performance of each machine of a cluster, from the profile or a user's model, as arrays for the event loop."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np

from jouleproof.errors import UserError
from jouleproof.serving.simulator import aiconfigurator, profile
from jouleproof.serving.simulator.cost_model import Measured, Performance
from jouleproof.serving.simulator.event_loop.records import Times
from jouleproof.serving.simulator.machines import Machine
from jouleproof.serving.simulator.served_models import SERVED_MODELS, ServedModel, served

POWER_OF = "a100-80gb"  # the only accelerator whose power was recorded


@lru_cache
def performance(machine: Machine, model: str | ServedModel, by_context: bool, tensor_parallel: int = 8) -> Performance:
    """Return the performance of a model on a machine. by_context: decode time depends on batch and context, as
    measured; else it follows the published simulator, which looks up the number of decodes on an axis of prompt tokens,
    so that decoding costs the same at any batch size.

    A narrower format than the profile's (served_models.served) saves only decode time: for weights, the time to read
    the saved bytes at the machine's memory rate; for the cache, in proportion to its bytes.
    """
    if isinstance(machine.profile, Performance):
        return machine.profile
    language_model = served(model)
    if callable(machine.profile):
        result = machine.profile(machine, language_model)
        if not isinstance(result, Performance):
            raise UserError(
                f"machine {machine.name}: profile must return a {Performance.__module__}.Performance, got "
                f"{type(result).__name__}"
            )
        return result
    profiled = SERVED_MODELS[language_model.name]
    if machine.profile.startswith(aiconfigurator.PREFIX):
        laws = _from_aiconfigurator(machine, language_model, by_context, tensor_parallel)
    else:
        laws = _from_profile(machine.profile, language_model, by_context, tensor_parallel)
    tokens, prompt_s, decode_s, law, most = laws
    affine = np.zeros(3)
    if law:
        cache = law.context * language_model.kv_bytes / profiled.kv_bytes
        decode_s, affine = np.full(len(tokens), law.constant), np.array([law.per_sequence, law.above, cache])
    decode_s = decode_s / machine.bandwidth
    decode_s -= (profiled.weight_bytes - language_model.weight_bytes) / machine.memory_bytes_per_s
    prompt_w, decode_w = _watts(machine, language_model, tokens)
    affine = affine / machine.bandwidth
    return Performance(tokens, prompt_s / machine.compute, decode_s, affine, prompt_w, decode_w, measured=most)


# tokens, prompt_s and decode_s by them
Laws = tuple[np.ndarray, np.ndarray, np.ndarray, profile.DecodeLaw | None, Measured]


def _from_profile(name: str, model: ServedModel, by_context: bool, tensor_parallel: int) -> Laws:
    group = model.profile, name, tensor_parallel
    knots = profile.of(profile.axis(), *group).sort_values("batch_tokens")
    tokens, prompt_s, decode_s = (
        knots[name].to_numpy(dtype=float) for name in ("batch_tokens", "prompt_time_s", "token_time_s")
    )
    cells = profile.of(profile.cells(), *group)
    context = (cells["prompt_size"] + cells["tokens_made"]).max()
    most = Measured(float(cells["prompt_size"].max()), float(context), float(cells["batch_size"].max()))
    return tokens, prompt_s, decode_s, profile.decode_law(cells) if by_context else None, most


def _from_aiconfigurator(machine: Machine, model: ServedModel, by_context: bool, tensor_parallel: int) -> Laws:
    if model.name != aiconfigurator.STANDS_FOR or not by_context:
        raise UserError(
            f"machine {machine.name}: {machine.profile} has only times of {aiconfigurator.STANDS_FOR}, "
            "with decoding by batch and context"
        )
    tokens = np.sort(profile.axis()["batch_tokens"].unique()).astype(float)
    system = str(machine.profile).removeprefix(aiconfigurator.PREFIX)
    prompt_s, law, _ = aiconfigurator.laws(system, tensor_parallel, tuple(tokens.tolist()))
    most = Measured(tokens[-1], aiconfigurator.CONTEXTS[-1], aiconfigurator.BATCHES[-1])
    return tokens, prompt_s, np.zeros(len(tokens)), law, most


def _watts(machine: Machine, model: ServedModel, tokens: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the watts of prompts, by tokens, and of decoding. Prompts draw a recorded run's peak power, decoding its
    average over many tokens. The shares of TDP were recorded on the A100; for other accelerators they are
    an assumption."""
    recorded = profile.of(profile.cells(), model.profile, POWER_OF, 8)
    recorded = recorded[recorded["peak_power_tdp"] > 0].assign(x=recorded["prompt_size"] * recorded["batch_size"])
    peaks = recorded.groupby("x")["peak_power_tdp"].median()
    if peaks.empty:
        raise ValueError(f"the profile has no power for {model.name}")
    share = np.interp(tokens, peaks.index.to_numpy(dtype=float), peaks.to_numpy())
    rest = machine.host_w
    return rest + machine.tdp_w * share, rest + machine.tdp_w * float(recorded["average_power_tdp"].median())


def measured(machines: Iterable[Machine], model: str | ServedModel, by_context: bool) -> Measured:
    """Return the most that was measured on every one of these machines; times of more are extrapolated."""
    limits = [performance(machine, model, by_context).measured for machine in machines]
    return Measured(*(min(getattr(most, name) for most in limits) for name in ("prompt", "context", "decodes")))


def times(kinds: Sequence[Performance]) -> Times:
    """Return performances at common knots, in arrays of one type, so that the event loop is compiled once."""
    tokens = kinds[0].tokens
    if any(not np.array_equal(kind.tokens, tokens) for kind in kinds):
        tokens = np.unique(np.concatenate([kind.tokens for kind in kinds])).astype(float)
        kinds = [kind.at(tokens) for kind in kinds]

    def by_kind(name: str) -> np.ndarray:
        return np.array([getattr(kind, name) for kind in kinds], dtype=float)

    return Times(np.array(tokens, dtype=float), *map(by_kind, Times._fields[1:]))
