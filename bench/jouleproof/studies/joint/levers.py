"""The four levers on one service: what a request takes with any set of them, by draws of all that is not known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations

import numpy as np

from jouleproof.studies.joint.config import AssumptionsConfig
from jouleproof.studies.joint.service import MEGAWATTS, UNPACKED_BITS, Service, State

MX, SPLITTING, PLACEMENT, SMALL = LEVERS = ("mx", "split", "placement", "small")
SUBSETS = tuple(chain.from_iterable(combinations(LEVERS, count) for count in range(len(LEVERS) + 1)))
MEASURES = {"joules": "J", "megawatts": "MW"}
FROM_TABLES = ("capable_least", "capable_most", "token_ratio", "length_ratio", "joules_placed", "gain_of_profile",
               "gain_of_rule")  # fmt: skip

Levers = tuple[str, ...]
Draws = Mapping[str, np.ndarray]  # (draws,) each: the assumptions by name, and FROM_TABLES


@dataclass(frozen=True)
class Taken:
    """By one request of the service, (draws,). joules: J. megawatts: provisioned, for a million requests an hour."""

    joules: np.ndarray
    megawatts: np.ndarray


def drawn(assumptions: AssumptionsConfig, count: int, seed: int) -> dict[str, np.ndarray]:
    """Even draws, a stream for each assumption: what one of them becomes leaves the others as they were."""
    found = {}
    for number, name in enumerate(type(assumptions).model_fields):
        low, high = getattr(assumptions, name)
        found[name] = np.random.default_rng([seed, number]).uniform(low, high, count)
    return found


def with_levers(service: Service, levers: Levers, about: Draws) -> Taken:
    """What one of all requests takes, whoever answers it.

    The small model's answers cost its share of what those requests take of the plain system. A request that it was sent
    and cannot answer is answered by the large model too.
    """
    answered, sent = _small_shares(about) if SMALL in levers else (0.0, 0.0)
    plain = _state(about)
    taken = np.minimum(answered * np.ones_like(plain.taken), service.taken[-1])
    own = _with(plain, levers, about, taken)
    joules = _joules(service, own, about)
    megawatts = service.kilowatts(own) * MEGAWATTS
    if SMALL in levers:
        share = _share_of_small(service, levers, about, plain)
        gone = replace(plain, taken=taken)
        for_one = _joules(service, plain, about), service.kilowatts(plain) * MEGAWATTS
        rest = _joules(service, gone, about), service.kilowatts(gone) * MEGAWATTS
        of_taken = [(whole - left) / taken for whole, left in zip(for_one, rest, strict=True)]
        joules = joules + sent * share * of_taken[0] + about["router"] * for_one[0]
        megawatts = megawatts + sent * share * of_taken[1] + about["router"] * for_one[1]
    if PLACEMENT in levers:
        joules = joules * (1 + about["placed_joules"] * about["joules_placed"])
        megawatts = megawatts / placement_gain(service, own, about)
    return Taken(joules, megawatts)


def placement_gain(service: Service, at: State, about: Draws) -> np.ndarray:
    """(draws,) machines that a megawatt hosts where profiles place them, over where they do not: between the gain of
    the placement study's fleet and that of a hall of this service alone, which is one of mixing its pools."""
    fleet = about["gain_of_profile"] * about["gain_of_rule"] ** about["packed"]
    alone = service.row_gain(at)
    return fleet ** about["neighbours"] * alone ** (1 - about["neighbours"])


def overlap(taken: Mapping[Levers, np.ndarray], levers: Levers) -> np.ndarray:
    """(draws,) joint saving of levers over the product of their single savings, as factors: 1 where they multiply,
    below where they overlap. taken: J or MW by set of levers."""
    single = np.prod([taken[()] / taken[(lever,)] for lever in levers], axis=0)
    return taken[()] / taken[levers] / single


def _small_shares(about: Draws) -> tuple[np.ndarray, np.ndarray]:
    """Of the requests: answered by the small model, and sent to it."""
    capable = about["capable_least"] + about["overlap"] * (about["capable_most"] - about["capable_least"])
    answered = capable * about["recognised"]
    return answered, answered + (1 - capable) * about["mistaken"]


def _share_of_small(service: Service, levers: Levers, about: Draws, plain: State) -> np.ndarray:
    """What an answer takes of the small model, over the large one in the plain system."""
    share = about["token_ratio"] * about["length_ratio"] * about["small_overhead"]
    if MX not in levers:
        return share
    packed = _joules(service, _with(plain, (MX,), about, plain.taken), about) / _joules(service, plain, about)
    return share * (1 - about["small_mx"] * (1 - packed))


def _state(about: Draws) -> State:
    nothing = np.zeros_like(about["short"])
    return State(nothing + UNPACKED_BITS, nothing, nothing, about["short"], about["day_level"])


def _with(plain: State, levers: Sequence[str], about: Draws, taken: np.ndarray) -> State:
    saved = about["realised"] * (UNPACKED_BITS - about["stored_bits"])
    return replace(
        plain,
        bits=plain.bits - (saved if MX in levers else 0.0),
        split=about["split_realised"] if SPLITTING in levers else plain.split,
        taken=taken,
    )


def _joules(service: Service, at: State, about: Draws) -> np.ndarray:
    """Of the large model, for one of all requests."""
    factors = {"prompt_j": "prompt_power", "token_j": "token_power", "idle_j": "idle_power", "host_j": "host_power"}
    parts = service.joules(at)
    return np.sum([about[factors[part]] * joules for part, joules in parts.items()], axis=0)
