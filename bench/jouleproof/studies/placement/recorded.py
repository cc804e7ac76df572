"""A fleet from a user's trace: the recorded power of workloads, in place of the generated one."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jouleproof import plugins
from jouleproof.errors import UserError
from jouleproof.inputs import numbers, read_table
from jouleproof.power.time_grid import OFF_GRID, SLOT_S, WEEK, whole
from jouleproof.power.workloads import KINDS, MIXES, Fleet

NEEDED, OPTIONAL = ("workload", "t_s", "watts"), ("kind", "tenant", "critical")
LEAST_SHARE = 0.1  # of its nameplate, which a server draws even when idle; less are no watts
_CRITICAL = {"0": False, "0.0": False, "false": False, "1": True, "1.0": True, "true": True}


@dataclass(frozen=True)
class Recorded:
    """A recorded trace. watts: (workloads, slots of five minutes), means. kind, tenant, critical: (workloads,)."""

    name: str
    watts: np.ndarray
    kind: np.ndarray
    tenant: np.ndarray
    critical: np.ndarray


@cache
def recorded(named: str) -> Recorded:
    """Read a trace from a CSV or parquet file, or from package.module:object, a table or a function that makes one.

    A row is a sample: workload, t_s (from Monday midnight), watts, and optionally, with one value in all of a
    workload's rows: kind (a class), tenant, critical (1: users wait for it). Samples are evenly spaced, by 300 s or an
    integer fraction of that, and at the same times for all workloads. Raises UserError, in one line, on anything else.
    """
    path = Path(named)
    if ":" in named and not path.exists():
        builtin: dict[str, Any] = {}
        loaded = plugins.load("trace", named, builtin)
        table, name = loaded() if callable(loaded) else loaded, named.rpartition(":")[2]
        if not isinstance(table, pd.DataFrame):
            raise UserError(f"config: trace {named!r} is a {type(table).__name__}, not a table")
    else:
        table, name = read_table(path), path.name.partition(".")[0]
    return checked(table, name)


def checked(table: pd.DataFrame, name: str) -> Recorded:
    """Check a table, and return it by workload. Raises UserError where it is not a trace."""
    trace = f"placement: trace {name}"
    if not set(NEEDED) <= set(table.columns) <= {*NEEDED, *OPTIONAL} or table.empty:
        raise UserError(
            f"{trace}: expected rows of {', '.join(NEEDED)}, and optionally {', '.join(OPTIONAL)}; "
            f"got {len(table)} rows of {', '.join(map(str, table.columns))}"
        )
    as_given = table.reset_index(drop=True)
    for column in {"workload", *OPTIONAL} & {*as_given.select_dtypes(object, exclude=str)}:
        if odd := [value for value in as_given[column] if isinstance(value, list | dict | np.ndarray)]:
            raise UserError(f"{trace}: {column} must hold names, got a {type(odd[0]).__name__}")
    units = {"t_s": "seconds", "watts": "watts"}
    table = as_given.assign(**{name: numbers(as_given[name], unit, trace) for name, unit in units.items()})
    step = _checked_step(table, as_given, trace)
    by_workload = table.groupby("workload", sort=False)
    given = {}
    for column in (column for column in OPTIONAL if column in table):
        if _nameless(table[column]).any() or (by_workload[column].nunique() > 1).any():
            raise UserError(f"{trace}: {column} must have one value in all rows of a workload")
        given[column] = by_workload[column].first().to_numpy()
    critical = given.get("critical", np.zeros(by_workload.ngroups)).astype(str)
    if unknown := [word for word in critical if word.lower() not in _CRITICAL]:
        raise UserError(f"{trace}: critical must be 0 or 1, got {unknown[0]:.80}")
    count, per_slot = by_workload.ngroups, round(SLOT_S / step)
    samples = table["watts"].to_numpy(float)[np.argsort(by_workload.ngroup(), kind="stable")].reshape(count, -1)
    samples = samples[:, : samples.shape[1] // per_slot * per_slot]
    return Recorded(
        name=name,
        watts=samples.reshape(count, -1, per_slot).mean(axis=2),
        kind=given["kind"].astype(str) if "kind" in given else np.full(count, "own"),
        tenant=np.unique(given["tenant"].astype(str), return_inverse=True)[1]
        if "tenant" in given
        else np.arange(count),
        critical=np.array([_CRITICAL[word.lower()] for word in critical]),
    )


def _nameless(names: "pd.Series[Any]") -> "pd.Series[bool]":
    return names.isna() | (names.astype(object) == "")


def _checked_step(table: pd.DataFrame, as_given: pd.DataFrame, trace: str) -> float:
    """Return the seconds from one sample to the next. as_given: the rows before numbers were read, for messages."""

    def refuse(bad: "pd.Series[bool]", why: str) -> None:
        if bad.any():
            row = int(bad.to_numpy().argmax())
            raise UserError(f"{trace}: workload {table['workload'][row]} at {as_given['t_s'][row]} s: {why}")

    refuse(_nameless(table["workload"]), "the workload has no name")
    for name in ("t_s", "watts"):
        refuse(~np.isfinite(table[name]), f"{name} must be a finite number")
    refuse(table["watts"] < 0, "negative watts")
    refuse(table.duplicated(["workload", "t_s"]), "duplicate sample")
    times = table.groupby("workload", sort=False)["t_s"]
    gone = times.diff()
    refuse(gone < 0, "the clock goes backwards")
    least = gone.min()
    if not 0 < least <= SLOT_S or not whole(SLOT_S / least):
        raise UserError(
            f"{trace}: samples must be {SLOT_S} s or an integer fraction of that apart, got {least:g} s; "
            "t_s is in seconds"
        )
    step = SLOT_S / round(SLOT_S / least)
    place = (table["t_s"] - times.transform("first")) / step
    refuse(~pd.Series(whole(place)), f"the clock jumps; samples are {step:g} s apart elsewhere")
    refuse(place.round() != times.cumcount(), "samples before it are missing")
    ends = times.agg(["min", "max"])
    if (other := ends[((ends - ends.iloc[0]).abs() > OFF_GRID * step).any(axis=1)]).size:
        raise UserError(f"{trace}: workload {other.index[0]} must begin and end at the same times as {ends.index[0]}")
    return step


def fleet_of(trace: Recorded, count: int, weeks: int, seed: int, mix: str, nameplate_w: float) -> Fleet:
    """Sample `count` of the trace's workloads without replacement, by the seed and by the mix's weights of their kinds.
    The idle power of a server is the lowest in the trace. Fleets of different seeds may share workloads.

    Raises UserError where the trace has too few workloads or weeks, or draws what the nameplate rules out.
    """
    source, slots = f"placement: trace {trace.name}", trace.watts.shape[1]
    if slots < weeks * WEEK:
        raise UserError(
            f"{source}: expected at least {weeks} weeks (to learn profiles, to set margins, to score), "
            f"got {slots / WEEK:.2f}"
        )
    if len(trace.watts) < count:
        raise UserError(
            f"{source}: expected at least {count} workloads, got {len(trace.watts)}; lower placement.fleet.servers"
        )
    if (most := trace.watts.max()) > nameplate_w:
        raise UserError(
            f"{source}: {most:,.0f} W is above placement.fleet.nameplate_w, {nameplate_w:,.0f} W; give watts, or the "
            "nameplate of these servers"
        )
    if most == trace.watts.min():
        raise UserError(f"{source}: all workloads draw the same power all the time")
    if most < LEAST_SHARE * nameplate_w:
        raise UserError(
            f"{source}: no workload draws more than {most:g} W, below {LEAST_SHARE:.0%} of "
            f"placement.fleet.nameplate_w, {nameplate_w:,.0f} W; give watts, or the nameplate of these servers"
        )
    rng = np.random.default_rng([seed, 1])
    weights = np.array([MIXES[mix].get(kind, 1.0) for kind in trace.kind])
    chosen = np.sort(rng.choice(len(weights), count, replace=False, p=weights / weights.sum()))
    kinds, kind = np.unique(trace.kind[chosen], return_inverse=True)
    tenant = np.unique(trace.tenant[chosen], return_inverse=True)[1]
    in_step = np.array([name in KINDS and KINDS[name].texture == "swings" for name in kinds])[kind]
    of_tenant, of_workload = rng.integers(0, 2**31, (2, count))
    return Fleet(
        kinds=tuple(map(str, kinds)),
        kind=kind,
        model=np.zeros(count, int),
        length=np.zeros(count, int),
        tenant=tenant,
        critical=trace.critical[chosen],
        offset=np.where(in_step, of_tenant[tenant], of_workload),
        watts=trace.watts[chosen, : weeks * WEEK].astype(np.float32),
        nameplate_w=nameplate_w,
        idle_w=float(trace.watts.min()),
        most_w=nameplate_w,
    )
