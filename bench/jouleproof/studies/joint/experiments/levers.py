"""What levers save singly, one after another and all at once, and how much of that hangs on each assumption."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import SIMULATED, tidy
from jouleproof.progress import steps
from jouleproof.studies.joint import evidence
from jouleproof.studies.joint.config import AssumptionsConfig, JointConfig
from jouleproof.studies.joint.levers import LEVERS, MEASURES, SUBSETS, Draws, Levers, Taken, drawn, overlap, with_levers
from jouleproof.studies.joint.service import Service

POINTS = {"_low": 0.05, "": 0.5, "_high": 0.95}
TABLES = ("service_energy", "hosting", "answers", "cards")


def levers(config: JointConfig, **tables: pd.DataFrame) -> pd.DataFrame:
    """As draws, by plain system and set of levers (`none`, or names with + between): joules_ratio and megawatts_ratio,
    over the plain system's; joules_overlap and megawatts_overlap, joint saving over the product of the single savings,
    as factors. joules (J of a request) and megawatts (provisioned, for a million requests an hour) of the plain system.
    over_plain: those of this plain system over those of the first."""
    about = _about(config, tables)
    step = steps("joint levers", len(config.plain) * len(SUBSETS))
    rows: list[dict[str, Any]] = []
    first: Taken | None = None
    for plain in config.plain:
        service, taken = Service(tables["service_energy"], plain), {}
        for subset in SUBSETS:
            taken[subset] = with_levers(service, subset, about)
            step(f"{plain}, {name_of(subset)}")
        first = first or taken[()]
        for measure, unit in MEASURES.items():
            of = {subset: getattr(each, measure) for subset, each in taken.items()}
            for metric, subset, own_unit, values in _numbers(measure, unit, of, getattr(first, measure)):
                row = {"plain": plain, "levers": name_of(subset), "metric": metric, "unit": own_unit}
                rows += [{**row, "repeat": repeat, "value": value} for repeat, value in enumerate(values)]
    return tidy(rows, seed=config.seed, tier=SIMULATED)


def assumptions(config: JointConfig, **tables: pd.DataFrame) -> pd.DataFrame:
    """Of all that is drawn: value_low, value and value_high, its 5th, 50th and 95th percentile, and what all levers
    come to at those where everything else is at its median: joules_ratio, megawatts_ratio, joules_overlap and
    megawatts_overlap, with _low and _high. The first plain system."""
    about = _about(config, tables)
    middle = {name: np.array([np.median(values)]) for name, values in about.items()}
    service = Service(tables["service_energy"], config.plain[0])
    step = steps("joint assumptions", len(about))
    rows: list[dict[str, Any]] = []
    for name, values in about.items():
        row = {"assumption": name, **described(name), "unit": "1"}
        for point, share in POINTS.items():
            at = np.quantile(values, share)
            rows.append({**row, "metric": f"value{point}", "value": at})
            for metric, value in _outcome(service, {**middle, name: np.array([at])}):
                rows.append({**row, "metric": f"{metric}{point}", "value": value})
        step(name)
    return tidy(rows, seed=config.seed, tier=SIMULATED)


def name_of(subset: Levers) -> str:
    return "+".join(subset) or "none"


def described(name: str) -> dict[str, str]:
    """What is assumed, and where it is from."""
    if name in evidence.SOURCES:
        what, source = evidence.SOURCES[name]
        return {"what": what, "source": source}
    field = AssumptionsConfig.model_fields[name]
    extra = field.json_schema_extra
    source = str(extra["source"]) if isinstance(extra, dict) else ""
    return {"what": str(field.description), "source": source}


def _about(config: JointConfig, tables: Mapping[str, pd.DataFrame]) -> Draws:
    own = drawn(config.assumptions, config.draws, config.seed)
    return {**own, **evidence.from_tables(config, *(tables[name] for name in TABLES[1:]))}


def _numbers(
    measure: str, unit: str, of: Mapping[Levers, np.ndarray], first: np.ndarray
) -> Iterator[tuple[str, Levers, str, np.ndarray]]:
    yield measure, (), unit, of[()]
    yield f"{measure}_over_plain", (), "ratio", of[()] / first
    for subset in SUBSETS[1:]:
        yield f"{measure}_ratio", subset, "ratio", of[subset] / of[()]
        if len(subset) > 1:
            yield f"{measure}_overlap", subset, "ratio", overlap(of, subset)


def _outcome(service: Service, at: Draws) -> Iterator[tuple[str, float]]:
    needed = [(), *((lever,) for lever in LEVERS), LEVERS]
    taken = {subset: with_levers(service, subset, at) for subset in needed}
    for measure in MEASURES:
        of = {subset: getattr(each, measure) for subset, each in taken.items()}
        yield f"{measure}_ratio", float(of[LEVERS][0] / of[()][0])
        yield f"{measure}_overlap", float(overlap(of, LEVERS)[0])
