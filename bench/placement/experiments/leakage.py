"""What releases are worth to a placement policy, and to an attacker."""

from typing import Any

import numpy as np
import pandas as pd

from bench.placement.config import PlacementConfig
from bench.placement.leakage import gain, gain_elsewhere, identified
from bench.placement.named import releases
from bench.placement.rules import RULES
from bench.placement.scenes import calibrated, hall, scene
from bench.progress import steps
from bench.results import SIMULATED, tidy

RULE, SHIFTED = "asynchrony", "train_heavy"


def leakage(config: PlacementConfig) -> pd.DataFrame:
    """By release: work hosted at the same risk, over that of the best release; gains of the best attacker over
    guessing, in shares, on the class, the model, the length of prompts, on the class in a fleet of another mix, and on
    who it is a week later. most: the largest of the gains. numbers: let out of a workload in a week.
    """
    settings = config.leakage
    found = releases(settings.releases)
    where, rule, risk = hall(config.fleet, config.hosting.row), RULES[RULE], config.hosting.risk
    step = steps("placement leakage", config.hosting.seeds)
    rows: list[dict[str, Any]] = []
    for seed in range(config.hosting.seeds):
        about, shifted = scene(config.fleet, seed), scene(config.fleet, 200 + seed, SHIFTED)
        workloads = about.score.fleet
        some = np.sort(np.random.default_rng([seed, 10]).choice(workloads.count, settings.attacked, replace=False))
        works, cells = {}, {}
        for number, (name, release) in enumerate(found.items()):
            rng = np.random.default_rng([seed, 11, number])
            out = [release.let_out(readings, workloads, rng) for readings in about.seen]
            before, after = (release.used(each, workloads) for each in out)
            _, hosted = calibrated(about, (before, after), where, rule, risk)
            works[name] = hosted.work
            gains = {
                field: gain(out[1][some], getattr(workloads, field)[some], workloads.tenant[some], seed)
                for field in ("kind", "model", "length")
            }
            other = release.let_out(shifted.seen[1], shifted.score.fleet, rng)
            gains["elsewhere"] = gain_elsewhere(out[1][some], workloads.kind[some], other[some],
                                                shifted.score.fleet.kind[some], seed)  # fmt: skip
            gains["identity"] = identified(out[0][some], out[1][some])
            cells[name] = {**gains, "most": max(gains.values()), "numbers": float(release.numbers)}
        for name, values in cells.items():
            values = {**values, "work": works[name], "value": works[name] / max(works.values())}
            rows += [{"release": name, "metric": metric, "value": value, "seed": seed}
                     for metric, value in values.items()]  # fmt: skip
        step(f"seed {seed}")
    return tidy([*rows, *_most_private(rows, settings.kept)], unit="1", tier=SIMULATED)


def _most_private(rows: list[dict[str, Any]], kept: float) -> list[dict[str, Any]]:
    """Of the releases that keep so much of the value on average, the gains of the one whose mean gain is least."""
    table = pd.DataFrame(rows)
    means = table.pivot_table(index="release", columns="metric", values="value")
    chosen = means[means["value"] >= kept]["most"].idxmin()
    own = table[(table["release"] == chosen) & (table["metric"] == "most")]
    return [{"release": f"best: {chosen}", "metric": "gain_of_most_private", "value": value, "seed": seed}
            for seed, value in zip(own["seed"], own["value"], strict=True)]  # fmt: skip
