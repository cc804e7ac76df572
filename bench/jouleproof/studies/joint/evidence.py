"""Draws of the quantities that other studies' tables give for the levers."""

import numpy as np
import pandas as pd

from jouleproof.errors import UserError
from jouleproof.studies.joint.config import JointConfig

PROFILE, BLIND, PROFILE_RULE = "slots24", "nameplate", "asynchrony"
PROTOCOL = "8-shot CoT"
CARDS, LAWS, FLEETS = "model cards, tasks weighted at random", "laws on ML.ENERGY's measurements", "placement study"
SOURCES = {  # description and source
    "capable_least": ("small model: least share of the large one's right answers that both scores allow", CARDS),
    "capable_most": ("small model: largest share of them that both scores allow", CARDS),
    "token_ratio": ("small model: J of a token, over the large one's", LAWS),
    "length_ratio": ("small model: tokens of an answer, over the large one's", "spread over ML.ENERGY's models"),
    "joules_placed": ("placement: change of joules per work", f"{FLEETS}, fleets drawn anew"),
    "gain_of_profile": ("placement: work hosted with profiles over nameplates, one rule, one risk", FLEETS),
    "gain_of_rule": ("placement: work hosted by asynchrony over best fit, told nameplates, one risk", FLEETS),
}


def from_tables(
    config: JointConfig, hosting: pd.DataFrame, answers: pd.DataFrame, cards: pd.DataFrame
) -> dict[str, np.ndarray]:
    """Return (draws,) arrays by the names of SOURCES; every table has a separate seeded random stream."""
    streams = [np.random.default_rng([config.seed, 1000 + number]) for number in range(3)]
    return {
        **capable(config, cards, streams[0]),
        **small_over_large(config, answers, streams[1]),
        **placed(config, hosting, streams[2]),
    }


def capable(config: JointConfig, cards: pd.DataFrame, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return the bounds that the two scores set on the share of the large model's right answers that the small model
    also gets right."""
    small, large = scores(config, cards)
    least, most = np.maximum(small + large - 1, 0) / large, np.minimum(small / large, 1)
    mix = rng.dirichlet(np.ones(len(small)), config.draws)
    return {"capable_least": mix @ least, "capable_most": mix @ most}


def scores(config: JointConfig, cards: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return (tasks,) shares of right answers of the small model, from its last card, and of the large one under the
    same protocol, or of the model that stands for it if no card scores the large one."""
    rows = cards[cards["metric"] == "score"].drop_duplicates(["model", "task", "protocol"], keep="last")
    by_model = {str(model): of.set_index(["task", "protocol"])["value"] / 100 for model, of in rows.groupby("model")}
    for name in (config.small, config.large, config.stands_for):
        if name not in by_model:
            raise UserError(f"joint: no card scores {name!r}; known: {', '.join(sorted(by_model))}")
    small = by_model[config.small].groupby(level="task").tail(1)
    large = by_model[config.large].reindex(small.index).fillna(by_model[config.stands_for].reindex(small.index))
    scored = large.notna()
    return small[scored].to_numpy(), large[scored].to_numpy()


def small_over_large(config: JointConfig, answers: pd.DataFrame, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw ratios of the small model to the large one: first a limit of concurrent requests, then a draw at this
    limit."""
    pair = (answers["model"] == config.small) & (answers["against"] == config.large)
    rows = answers[pair & (answers["protocol"] == PROTOCOL)]
    table = rows.pivot_table(index=["limit", "repeat"], columns="metric", values="value")
    if table.empty:
        raise UserError(f"joint: the answers table does not compare {config.small!r} with {config.large!r}")
    limits = table.index.get_level_values("limit")
    drawn_limits = rng.choice(np.unique(limits), config.draws)
    rows_drawn = np.array([rng.choice(np.flatnonzero(limits == limit)) for limit in drawn_limits])
    length = table["joules_ratio"] / table["joules_ratio_same_length"]
    return {"token_ratio": table["token_ratio"].to_numpy()[rows_drawn], "length_ratio": length.to_numpy()[rows_drawn]}


def placed(config: JointConfig, hosting: pd.DataFrame, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return bootstrap means over fleets, with the same fleets for all quantities."""
    rows = hosting[(hosting["arrivals"] == "grouped") & (hosting["row"] == config.row)]
    columns = {
        "joules_placed": ("joules_over_plain", PROFILE_RULE, PROFILE),
        "gain_of_profile": ("level_over_nameplate", PROFILE_RULE, PROFILE),
        "gain_of_rule": ("level_over_best_fit", PROFILE_RULE, BLIND),
    }
    by_fleet = {}
    for name, (metric, rule, information) in columns.items():
        cell = rows[(rows["metric"] == metric) & (rows["rule"] == rule) & (rows["information"] == information)]
        if cell.empty:
            case = f"rule {rule}, information {information}, row {config.row}"
            raise UserError(f"joint: the hosting table lacks {metric} for {case}")
        by_fleet[name] = cell.sort_values("seed")["value"].to_numpy()
    count = len(by_fleet["joules_placed"])
    again = rng.integers(0, count, (config.draws, count))
    return {name: values[again].mean(axis=1) for name, values in by_fleet.items()}
