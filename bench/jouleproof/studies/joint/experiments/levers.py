"""Savings of the levers alone, one after another and all at once, and how much they depend on each assumption."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.progress import steps
from jouleproof.studies.joint import evidence
from jouleproof.studies.joint.config import AssumptionsConfig, JointConfig
from jouleproof.studies.joint.savings import LEVERS, MEASURES, SUBSETS, Draws, Levers, overlap, uniform, with_levers
from jouleproof.studies.joint.service import Service

POINTS = {"_low": 0.05, "": 0.5, "_high": 0.95}


def levers(
    config: JointConfig, service_energy: pd.DataFrame, hosting: pd.DataFrame, answers: pd.DataFrame, cards: pd.DataFrame
) -> pd.DataFrame:
    """Return draws by plain system and set of levers (`none`, or names joined by +).

    joules_ratio, megawatts_ratio: over the plain system's. joules_overlap, megawatts_overlap: joint saving over the
    product of the single savings, as factors. joules (J of a request), megawatts (provisioned, for a million requests
    an hour): of the plain system. joules_over_plain, megawatts_over_plain: of this plain system over the first one.
    """
    draws = _draws(config, hosting, answers, cards)
    step = steps("joint levers", len(config.plain) * len(SUBSETS))
    rows: list[dict[str, Any]] = []
    first: Mapping[str, np.ndarray] = {}
    for plain in config.plain:
        service, costs = Service(service_energy, plain), {}
        for subset in SUBSETS:
            costs[subset] = with_levers(service, subset, draws)
            step(f"{plain}, {name_of(subset)}")
        first = first or costs[()]
        for measure, unit in MEASURES.items():
            cost = {subset: by_measure[measure] for subset, by_measure in costs.items()}
            for metric, subset, metric_unit, values in _metrics(measure, unit, cost, first[measure]):
                row = {"plain": plain, "levers": name_of(subset), "metric": metric, "unit": metric_unit}
                rows += [{**row, "repeat": repeat, "value": value} for repeat, value in enumerate(values)]
    return tidy(rows, seed=config.seed, tier=SIMULATED)


def assumptions(
    config: JointConfig, service_energy: pd.DataFrame, hosting: pd.DataFrame, answers: pd.DataFrame, cards: pd.DataFrame
) -> pd.DataFrame:
    """Return the dependence on every drawn quantity, for the first plain system.

    value_low, value, value_high: its 5th, 50th and 95th percentile. joules_ratio, megawatts_ratio, joules_overlap,
    megawatts_overlap, with _low and _high: the result of all levers at those values, with everything else at its
    median.
    """
    draws = _draws(config, hosting, answers, cards)
    middle = {name: np.array([np.median(values)]) for name, values in draws.items()}
    service = Service(service_energy, config.plain[0])
    step = steps("joint assumptions", len(draws))
    rows: list[dict[str, Any]] = []
    for name, values in draws.items():
        row = {"assumption": name, **described(name)}
        for point, share in POINTS.items():
            value = np.quantile(values, share)
            rows.append({**row, "metric": f"value{point}", "value": value})
            for metric, outcome in _outcome(service, {**middle, name: np.array([value])}):
                rows.append({**row, "metric": f"{metric}{point}", "value": outcome})
        step(name)
    return tidy(rows, unit="1", seed=config.seed, tier=SIMULATED)


def name_of(subset: Levers) -> str:
    return "+".join(subset) or "none"


def described(name: str) -> dict[str, str]:
    """Return a description of the assumption, and its source."""
    if name in evidence.SOURCES:
        what, source = evidence.SOURCES[name]
        return {"what": what, "source": source}
    field = AssumptionsConfig.model_fields[name]
    extra = field.json_schema_extra
    return {"what": str(field.description), "source": str(extra["source"]) if isinstance(extra, dict) else ""}


def _draws(config: JointConfig, *tables: pd.DataFrame) -> Draws:
    return {**uniform(config.assumptions, config.draws, config.seed), **evidence.from_tables(config, *tables)}


def _metrics(
    measure: str, unit: str, cost: Mapping[Levers, np.ndarray], first: np.ndarray
) -> Iterator[tuple[str, Levers, str, np.ndarray]]:
    yield measure, (), unit, cost[()]
    yield f"{measure}_over_plain", (), "ratio", cost[()] / first
    for subset in SUBSETS[1:]:
        yield f"{measure}_ratio", subset, "ratio", cost[subset] / cost[()]
        if len(subset) > 1:
            yield f"{measure}_overlap", subset, "ratio", overlap(cost, subset)


def _outcome(service: Service, draws: Draws) -> Iterator[tuple[str, float]]:
    needed = [(), *((lever,) for lever in LEVERS), LEVERS]
    costs = {subset: with_levers(service, subset, draws) for subset in needed}
    for measure in MEASURES:
        cost = {subset: by_measure[measure] for subset, by_measure in costs.items()}
        yield f"{measure}_ratio", float(cost[LEVERS][0] / cost[()][0])
        yield f"{measure}_overlap", float(overlap(cost, LEVERS)[0])
