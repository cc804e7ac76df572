"""Small tables in the schema for every figure: from the experiments themselves where these are fast, else made up."""

from functools import cache

import numpy as np

from bench.formats import FORMATS
from bench.mx.config import MxConfig, QsnrConfig
from bench.mx.experiments.formats import formats
from bench.mx.experiments.qsnr import qsnr
from bench.results import tidy
from figures.style import VERDICT_STYLES
from tests.mx import own

OWN = "tests.mx.own:FORMAT"
SUBJECTS = ("activations", "weights", "both")
MODELS = {"SmolLM2-135M": ("Q4_1", 30), "all-MiniLM-L6-v2": ("no", 6)}  # rounded to, layers


@cache
def tables(with_own_format):
    """By `<study>/<experiment>`. with_own_format: whether a format that is not built in is among them."""
    configured = [*FORMATS, *([OWN] if with_own_format else [])]
    names = [*FORMATS, *([own.FORMAT.name] if with_own_format else [])]
    config = MxConfig(formats=configured, qsnr=QsnrConfig(vectors=20, length=64, seeds=[0, 1, 2]))
    return {
        "mx/formats": formats(config),
        "mx/qsnr": qsnr(config),
        "mx/conformance": _conformance(),
        "mx/qsnr_on_weights": _qsnr_on_weights(names),
        "mx/direct_cast_language": _language(names),
        "mx/direct_cast_embedding": _embedding(names),
    }


def _conformance():
    """A format of a user's own is in none: no peer has it."""
    counts = {("normal", "gfloat"): (0, 0), ("normal", "torchao"): (3, 0), ("Inf", "gfloat"): (64, 0)}
    rows = [
        {"format": name, "peer": peer, "group": group, "metric": metric, "value": float(value)}
        for name in FORMATS
        for group in ("normal", "Inf")
        for peer in ("gfloat", "torchao")
        for mismatches, refused in [counts.get((group, peer), (0, 64))]
        for metric, value in (("elements", 64), ("mismatches", mismatches), ("refused", refused))
    ]
    return tidy(rows, unit="elements", tier="measured")


def _qsnr_on_weights(names):
    rng = np.random.default_rng(0)
    rows = [
        {
            "model": model,
            "rounded": rounded,
            "tensor": tensor,
            "layer": layer,
            "projection": projection,
            "format": name,
            "scale": scale,
            "value": 40.0 - 3 * place + rng.normal(),
        }
        for model, (rounded, layers) in MODELS.items()
        for tensor in ("weight", "activation")
        for layer in range(layers)
        for projection in ("q", "k")
        for place, name in enumerate(names)
        for scale in ("floor", "ceil")
    ]
    return tidy(rows, metric="qsnr", unit="dB", tier="measured")


def _casts(names):
    return [(name, subject, 0.002 * 3**place) for place, name in enumerate(names) for subject in SUBJECTS]


def _language(names, questions=8):
    rng = np.random.default_rng(1)
    model, (rounded, _) = next(iter(MODELS.items()))
    where = [{"question": number, "tokens": 20 + 7 * number} for number in range(questions)]
    uncast = {"format": "float32", "scale": "none", "subject": "none", "metric": "loss"}
    rows = [{**uncast, **question, "value": 3 + rng.normal() / 4} for question in where]
    for name, subject, size in _casts(names):
        about = {"format": name, "scale": "floor", "subject": subject}
        for question in where:
            added = size * rng.normal(1, 1)
            rows += [
                {**about, **question, "metric": metric, "value": value}
                for metric, value in (("loss", 3 + added), ("added_loss", added), ("kl", abs(added)))
            ]
    rows = [{"model": model, "rounded": rounded, **row} for row in rows]
    return tidy(rows, unit="nats/token", tier="measured")


def _embedding(names, questions=8):
    rng = np.random.default_rng(2)
    model, (rounded, _) = list(MODELS.items())[1]
    rows = []
    for name, subject, size in _casts(names):
        about = {"model": model, "rounded": rounded, "format": name, "scale": "floor", "subject": subject}
        for number in range(questions):
            cosine, same = 1 - min(size * rng.uniform(0.05, 0.2), 0.9), float(rng.random() > min(size, 0.9))
            where = {**about, "question": number, "tokens": 20 + number}
            rows.append({**where, "metric": "cosine", "unit": "1", "value": cosine})
            rows.append({**where, "metric": "same_neighbour", "unit": "share", "value": same})
    return tidy(rows, tier="measured")


def verdict_rows(claims):
    """An object of verdicts.json per claim and version, with every verdict and every tier in turn."""
    places = [(claim, version) for claim in claims for version in claim.versions]
    return [
        {
            "id": claim.id,
            "area": claim.area,
            "version": version,
            "says": claim.says,
            "source": claim.source,
            "published": claim.published,
            "accept": [None if np.isinf(bound) else bound for bound in claim.accept],
            "unit": claim.unit,
            "verdict": list(VERDICT_STYLES)[number % len(VERDICT_STYLES)],
            "tier": ("measured", "simulated", "cited")[number % 3],
            "reason": "Because.",
            "estimate": 1.0 if number % 2 else None,
            "low": 0.5 if number % 2 else None,
            "high": 1.5 if number % 2 else None,
            "inputs": {},
            "flags": ["one model"] if number % 2 else [],
            "figure": None,
        }
        for number, (claim, version) in enumerate(places)
    ]
