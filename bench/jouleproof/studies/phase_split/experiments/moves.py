"""Transfers of KV caches from one process to another, one request at a time."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, get_args

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.inputs import Problem
from jouleproof.models.decoder import Decoder
from jouleproof.models.smollm2 import LanguageModel
from jouleproof.progress import steps
from jouleproof.serving.engine.fleet import Fleet, started_fleet
from jouleproof.serving.engine.router import Outcome, Request, Rules, serve
from jouleproof.serving.engine.setup import fleet_plan, served_decoder
from jouleproof.serving.engine.transport import Move, Transport
from jouleproof.studies.phase_split.config import PhaseSplitConfig

TOKENS = 3  # per request: one from the prompt, the first after the move, and one after an ordinary gap
APART_S = 0.05


def moves(config: PhaseSplitConfig, gsm8k_test: Sequence[Problem], smollm2_135m: LanguageModel) -> pd.DataFrame:
    """Measure transfers of KV caches between two processes, by transport and format, whole or layer by layer."""
    return moved(config, *served_decoder(config.engine, config.engine.layers, gsm8k_test, smollm2_135m))


def moved(config: PhaseSplitConfig, decoder: Decoder, words: Sequence[int]) -> pd.DataFrame:
    """Measure transfers by way (shared memory or sockets), parts (whole or layers), format and prompt: bytes of a
    cache; the sender's and the receiver's work, the first gap minus an ordinary one, TTFT and E2E, all in seconds. Each
    repeat goes through all prompts."""
    settings = config.moves
    choices = [Move(*move) for move in product(get_args(Transport), (False, True), settings.forms)]
    step = steps("phase_split moves", len(choices))
    rows: list[dict[str, Any]] = []
    with started_fleet(fleet_plan(config.engine, gloo=True), decoder) as fleet:
        _alone(fleet, words, settings.prompts[:1], Move(cache_format=settings.forms[-1]))  # compiles the casts
        for move in choices:
            factors = {
                "way": move.transport,
                "parts": "layers" if move.by_layer else "whole",
                "format": move.cache_format,
            }
            _alone(fleet, words, settings.prompts[:1], move)
            for repeat in range(settings.repeats):
                outcomes = _alone(fleet, words, settings.prompts, move)
                for prompt, outcome in zip(settings.prompts, outcomes, strict=True):
                    rows += [{**factors, "prompt": prompt, "repeat": repeat, **row} for row in _of(outcome)]
            step(f"{factors['format']} through {move.transport}, {factors['parts']}")
    return tidy(rows, tier=MEASURED)


def _alone(fleet: Fleet, words: Sequence[int], prompts: Sequence[int], move: Move) -> list[Outcome]:
    """Serve one request after another, so that none has to wait."""
    outcomes = []
    for prompt in prompts:
        request = Request(APART_S, np.resize(np.asarray(words), prompt).tolist(), TOKENS)
        outcomes += serve(fleet, [request], Rules("split", tokens=fleet.plan.capacity, move=move)).outcomes
    return outcomes


def _of(outcome: Outcome) -> Iterator[dict[str, Any]]:
    gaps = np.diff(outcome.times_s)
    values = {
        "bytes": ("B", outcome.moved_bytes),
        "sent_s": ("s", outcome.sent_s),
        "taken_s": ("s", outcome.taken_s),
        "added_s": ("s", gaps[0] - gaps[1]),
        "ttft_s": ("s", outcome.times_s[0] - APART_S),
        "e2e_s": ("s", outcome.times_s[-1] - APART_S),
    }
    for name, (unit, value) in values.items():
        yield {"metric": name, "unit": unit, "value": float(value)}
