"""The four levers on one service: the cost of a request with any set of them, for draws of all uncertain quantities."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain, combinations

import numpy as np

from jouleproof.studies.joint.config import AssumptionsConfig
from jouleproof.studies.joint.service import MEGAWATTS, UNPACKED_BITS, Service, State

MX, SPLITTING, PLACEMENT, SMALL = LEVERS = ("mx", "split", "placement", "small")
SUBSETS = tuple(chain.from_iterable(combinations(LEVERS, count) for count in range(len(LEVERS) + 1)))
MEASURES = {"joules": "J", "megawatts": "MW"}  # of one request; provisioned, for a million requests an hour

Levers = tuple[str, ...]
Draws = Mapping[str, np.ndarray]  # (draws,) by name of an assumption or of evidence.SOURCES


def uniform(assumptions: AssumptionsConfig, count: int, seed: int) -> dict[str, np.ndarray]:
    """Draw uniformly, with a separate random stream for each assumption, so that changing one leaves the others
    unchanged."""
    draws = {}
    for number, name in enumerate(type(assumptions).model_fields):
        low, high = getattr(assumptions, name)
        draws[name] = np.random.default_rng([seed, number]).uniform(low, high, count)
    return draws


def with_levers(service: Service, levers: Levers, draws: Draws) -> dict[str, np.ndarray]:
    """Return the mean cost over all requests, whichever model answers them: (draws,) by MEASURES.

    The small model's answers cost a share of what the same requests cost in the plain system. A request that is sent to
    it by mistake is answered by the large model too.
    """
    answered, sent = _small_shares(draws) if SMALL in levers else (0.0, 0.0)
    plain = _plain(draws)
    taken = np.minimum(answered * np.ones_like(plain.taken), service.taken[-1])
    state = _with(plain, levers, draws, taken)
    cost = _cost(service, state, draws)
    if SMALL in levers:
        share = _share_of_small(service, levers, draws, plain)
        whole = _cost(service, plain, draws)
        of_taken = (whole - _cost(service, replace(plain, taken=taken), draws)) / taken
        cost = cost + sent * share * of_taken + draws["router"] * whole
    joules, megawatts = cost
    if PLACEMENT in levers:
        joules = joules * (1 + draws["placed_joules"] * draws["joules_placed"])
        megawatts = megawatts / placement_gain(service, state, draws)
    return dict(zip(MEASURES, (joules, megawatts), strict=True))


def placement_gain(service: Service, state: State, draws: Draws) -> np.ndarray:
    """Return (draws,) machines per megawatt with placement by profiles over those without. They lie between the gain of
    the placement study's fleet and that of a hall with only this service, which comes from mixing its pools."""
    fleet = draws["gain_of_profile"] * draws["gain_of_rule"] ** draws["packed"]
    alone = service.row_gain(state)
    return fleet ** draws["neighbours"] * alone ** (1 - draws["neighbours"])


def overlap(cost: Mapping[Levers, np.ndarray], levers: Levers) -> np.ndarray:
    """Return (draws,) joint saving of levers over the product of their single savings, as factors: 1 if they multiply,
    below 1 if they overlap. cost: J or MW by set of levers."""
    single = np.prod([cost[()] / cost[(lever,)] for lever in levers], axis=0)
    return cost[()] / cost[levers] / single


def _small_shares(draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of the requests that the small model answers, and the share sent to it."""
    capable = draws["capable_least"] + draws["overlap"] * (draws["capable_most"] - draws["capable_least"])
    answered = capable * draws["recognised"]
    return answered, answered + (1 - capable) * draws["mistaken"]


def _share_of_small(service: Service, levers: Levers, draws: Draws, plain: State) -> np.ndarray:
    """Return the cost of an answer of the small model over that of the large model in the plain system."""
    share = draws["token_ratio"] * draws["length_ratio"] * draws["small_overhead"]
    if MX not in levers:
        return share
    packed = _joules(service, _with(plain, (MX,), draws, plain.taken), draws) / _joules(service, plain, draws)
    return share * (1 - draws["small_mx"] * (1 - packed))


def _plain(draws: Draws) -> State:
    nothing = np.zeros_like(draws["short"])
    return State(
        bits=nothing + UNPACKED_BITS, split=nothing, taken=nothing, short=draws["short"], level=draws["day_level"]
    )


def _with(plain: State, levers: Sequence[str], draws: Draws, taken: np.ndarray) -> State:
    saved = draws["realised"] * (UNPACKED_BITS - draws["stored_bits"])
    return replace(
        plain,
        bits=plain.bits - (saved if MX in levers else 0.0),
        split=draws["split_realised"] if SPLITTING in levers else plain.split,
        taken=taken,
    )


def _cost(service: Service, state: State, draws: Draws) -> np.ndarray:
    """Return (measures, draws) costs of the large model per request of the whole service."""
    return np.stack([_joules(service, state, draws), service.kilowatts(state) * MEGAWATTS])


def _joules(service: Service, state: State, draws: Draws) -> np.ndarray:
    factors = {"prompt_j": "prompt_power", "token_j": "token_power", "idle_j": "idle_power", "host_j": "host_power"}
    return np.sum([draws[factors[metric]] * joules for metric, joules in service.joules(state).items()], axis=0)
