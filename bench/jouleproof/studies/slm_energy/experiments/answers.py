"""The cost of a right answer to grade school math with published models: accuracies are cited; tokens and joules are
drawn."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jouleproof.evidence.intervals import draws_interval
from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.progress import steps
from jouleproof.studies.slm_energy import model_cards
from jouleproof.studies.slm_energy.config import AnswersConfig, SlmEnergyConfig
from jouleproof.studies.slm_energy.power import constant_draws, stream
from jouleproof.studies.slm_energy.prediction_model import Laws, joules_per_token, laws_of
from jouleproof.studies.slm_energy.rows import interval_rows, repeat_rows

PROTOCOLS = ("8-shot CoT", "0-shot CoT")
PHI, PHONE = "Phi-3-mini", "Phi-3-mini on a phone"
RIVALS = ("Llama 3 8B", "Mixtral 8x7B", "Llama 3 70B")
BITS = {"no scales": 4.0, "MXFP4": 4.25, "Q4_0": 4.5, "Q4_1": 5.0}  # of a weight, including scales and offsets


@dataclass(frozen=True)
class Costs:
    """Costs of one model at one limit, (draws,) each: J of a token and of an answer, euro of an answer, share of right
    answers."""

    token: np.ndarray
    answer: np.ndarray
    price: np.ndarray
    right: np.ndarray


def answers(config: SlmEnergyConfig, energy_law: pd.DataFrame) -> pd.DataFrame:
    """Predict the cost of right answers, by limit of concurrent requests.

    Medians with the ends of the interval: joules_per_token and joules_per_answer by model; joules_per_correct, accuracy
    and at_front by model and protocol. at_front: share of draws in which no model is right at least as often for fewer
    joules. Draws, by pair of models: joules_ratio and price_ratio of a right answer, token_ratio of a token, and
    joules_ratio_same_length if all answers had one length. For the phone: joules_per_token, and token_ratio to an 8B
    model on the GPU. weights: GB by format; weights_draw: GB between the formats whose 32 weights share a scale of 8
    and of 16 bits.
    """
    settings = config.answers
    rows = [
        {"model": PHI, "format": name, "metric": "weights", "unit": "GB", "value": value}
        for name, value in _weights().items()
    ]
    between = {"model": PHI, "format": "MXFP4 to Q4_0", "metric": "weights_draw", "unit": "GB"}
    rows += repeat_rows(between, _weights_between(config))
    fitted = [laws for limit in settings.limits if (laws := laws_of(energy_law, limit))]
    step = steps("slm_energy answers", len(fitted))
    for laws in fitted:
        rows += [{"limit": laws.limit, **row} for row in (*_phone(config, laws), *_models(config, laws))]
        step(f"{laws.limit} requests at once")
    nothing = {"model": "none", "against": "none", "limit": 0, "protocol": "none", "format": "none"}
    return tidy(({**nothing, **row} for row in rows), tier=SIMULATED)


def _models(config: SlmEnergyConfig, laws: Laws) -> Iterator[dict[str, Any]]:
    for name, model in model_cards.models().items():
        if model.total:
            costs = _costs(config, laws, name, 1.0)
            for metric, values in (("joules_per_token", costs.token), ("joules_per_answer", costs.answer)):
                yield from interval_rows({"model": name, "unit": "J"}, metric, draws_interval(values))
    for protocol in PROTOCOLS:
        for row in _protocol(config, laws, protocol):
            yield {"protocol": protocol, **row}


def _protocol(config: SlmEnergyConfig, laws: Laws, protocol: str) -> Iterator[dict[str, Any]]:
    accuracies = model_cards.gsm8k(protocol)
    costs = {
        name: _costs(config, laws, name, accuracy)
        for name, accuracy in accuracies.items()
        if model_cards.models()[name].total
    }
    front = at_front(costs)
    for name, cost in costs.items():
        yield {"model": name, "metric": "accuracy", "unit": "share", "value": accuracies[name]}
        yield {"model": name, "metric": "at_front", "unit": "share", "value": front[name]}
        correct = draws_interval(cost.answer / cost.right)
        yield from interval_rows({"model": name, "unit": "J"}, "joules_per_correct", correct)
    for rival in RIVALS:
        if rival in costs:
            yield from _ratios(costs[PHI], costs[rival], {"model": PHI, "against": rival, "unit": "ratio"})


def _costs(config: SlmEnergyConfig, laws: Laws, name: str, accuracy: float) -> Costs:
    settings, seed = config.answers, config.energy_law.seed
    token = joules_per_token(name, model_cards.models()[name], laws, settings.floor, seed)
    length = np.exp(settings.length_spread * stream(f"length of {name}", seed).standard_normal(laws.draws))
    answer = token * settings.answer_tokens * length
    per_joule = _of(config, laws, "gpu_price_per_h", settings) / 3600 / _of(config, laws, f"gpu_w of {name}", settings)
    questions = model_cards.questions()["GSM8K"]
    right = stream(f"accuracy of {name}", seed).beta(
        questions * accuracy + 0.5, questions * (1 - accuracy) + 0.5, laws.draws
    )
    return Costs(token=token, answer=answer, price=answer * per_joule, right=right)


def at_front(costs: Mapping[str, Costs]) -> dict[str, float]:
    """Return, by model, the share of draws in which no other model is right at least as often for fewer joules per
    answer."""
    joules, right = (np.stack([getattr(cost, name) for cost in costs.values()]) for name in ("answer", "right"))
    beaten = ((joules[:, None] > joules[None]) & (right[:, None] <= right[None])).any(axis=1)
    return dict(zip(costs, 1 - beaten.mean(axis=1), strict=True))


def _ratios(subject: Costs, rival: Costs, factors: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    right = rival.right / subject.right
    for metric, values in (
        ("token_ratio", subject.token / rival.token),
        ("joules_ratio", subject.answer / rival.answer * right),
        ("joules_ratio_same_length", subject.token / rival.token * right),
        ("price_ratio", subject.price / rival.price * right),
    ):
        yield from repeat_rows({**factors, "metric": metric}, values)


def _phone(config: SlmEnergyConfig, laws: Laws) -> Iterator[dict[str, Any]]:
    phone = _of(config, laws, "phone_w", config.answers) / config.answers.phone_tokens_s
    yield from interval_rows({"model": PHONE, "unit": "J"}, "joules_per_token", draws_interval(phone))
    eight = joules_per_token("an 8B model", model_cards.Published("any", 8.0, 8.0), laws, 0.0, config.energy_law.seed)
    pair = {"model": PHONE, "against": "an 8B model", "metric": "token_ratio", "unit": "ratio"}
    yield from repeat_rows(pair, phone / eight)


def _of(config: SlmEnergyConfig, laws: Laws, name: str, settings: AnswersConfig) -> np.ndarray:
    """Draw a constant that is known within a range, (draws,). A name with " of " has a different random stream from its
    constant."""
    return constant_draws(name, getattr(settings, name.split(" of ")[0]), config.power, laws.draws)


def _weights() -> dict[str, float]:
    billions = model_cards.models()[PHI].total or 0.0
    return {name: billions * bits / 8 for name, bits in BITS.items()}


def _weights_between(config: SlmEnergyConfig) -> np.ndarray:
    """Draw GB of weights, uniformly between blocks of 32 with an 8-bit scale and with a 16-bit scale."""
    low, high = _weights()["MXFP4"], _weights()["Q4_0"]
    return stream("bits of a weight", config.energy_law.seed).uniform(low, high, config.energy_law.resamples)
