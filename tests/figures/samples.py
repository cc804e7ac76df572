"""Small tables of every study, for figures and for other tests, read from the folder samples, which `python -m
tests.figures.make_samples` writes."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from jouleproof.drawing.style import VERDICT_STYLES
from jouleproof.evidence.tables import read

FOLDER = Path(__file__).with_name("samples")


class Samples(Mapping):
    """Tables by `<study>/<experiment>`, each read on first use."""

    def __init__(self, folders):
        self.paths = {
            f"{path.parent.name}/{path.stem}": path for folder in folders for path in sorted(folder.glob("*/*.parquet"))
        }
        self.read = cache(read)

    def __getitem__(self, name):
        return self.read(self.paths[name])

    def __iter__(self):
        return iter(self.paths)

    def __len__(self):
        return len(self.paths)


@cache
def tables(with_own):
    """Return the tables. with_own: whether every place that takes a user's object holds one."""
    return Samples([FOLDER / "built_in", *([FOLDER / "own"] if with_own else [])])


def differing():
    """Names of the tables that differ with a user's objects."""
    return {name for name, path in tables(True).paths.items() if path != tables(False).paths.get(name)}


def verdict_rows(claims):
    """Make an object of verdicts.json per claim and version, with every verdict and every tier in turn."""
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
            "reading": "mixed" if list(VERDICT_STYLES)[number % len(VERDICT_STYLES)] == "cited" else None,
            "figure": None,
        }
        for number, (claim, version) in enumerate(places)
    ]
