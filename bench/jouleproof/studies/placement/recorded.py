"""A fleet from a user's trace: the recorded power of workloads, in place of the generated one."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jouleproof import plugins
from jouleproof.errors import UserError
from jouleproof.files import read_parquet
from jouleproof.power.time_grid import SLOT_S, WEEK
from jouleproof.power.workloads import KINDS, MIXES, Fleet

NEEDED, OPTIONAL = ("workload", "t_s", "watts"), ("kind", "tenant", "critical")


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
        table, name = _read(path), path.name.partition(".")[0]
    return checked(table, name)


def _read(path: Path) -> pd.DataFrame:
    try:
        if path.suffix == ".parquet":
            return read_parquet(path).to_pandas()
        return pd.read_csv(path, dtype={"workload": str, "kind": str, "tenant": str})
    except (OSError, ValueError, KeyError) as error:  # errors of pandas and pyarrow are among them
        raise UserError(f"placement: trace {path} cannot be read: {' '.join(str(error).split())}") from error


def checked(table: pd.DataFrame, name: str) -> Recorded:
    """Check a table, and return it by workload. Raises UserError where it is not a trace."""
    trace = f"placement: trace {name}"
    if not set(NEEDED) <= set(table.columns) <= {*NEEDED, *OPTIONAL} or table.empty:
        raise UserError(
            f"{trace}: expected rows of {', '.join(NEEDED)}, and optionally {', '.join(OPTIONAL)}; "
            f"got {len(table)} rows of {', '.join(map(str, table.columns))}"
        )
    as_given = table.reset_index(drop=True)
    table = as_given.assign(**{column: pd.to_numeric(as_given[column], errors="coerce") for column in ("t_s", "watts")})
    step = _checked_step(table, as_given["t_s"], trace)
    by_workload = table.groupby("workload", sort=False)
    given = {}
    for column in (column for column in OPTIONAL if column in table):
        if table[column].isna().any() or (by_workload[column].nunique() > 1).any():
            raise UserError(f"{trace}: {column} must have one value in all rows of a workload")
        given[column] = by_workload[column].first().to_numpy()
    if not set(given.get("critical", ())) <= {0, 1}:
        raise UserError(f"{trace}: critical must be 0 or 1")
    count, per_slot = by_workload.ngroups, round(SLOT_S / step)
    samples = table["watts"].to_numpy(float)[np.argsort(by_workload.ngroup(), kind="stable")].reshape(count, -1)
    whole = samples.shape[1] // per_slot * per_slot
    return Recorded(
        name=name,
        watts=samples[:, :whole].reshape(count, -1, per_slot).mean(axis=2),
        kind=given["kind"].astype(str) if "kind" in given else np.full(count, "own"),
        tenant=np.unique(given["tenant"].astype(str), return_inverse=True)[1]
        if "tenant" in given
        else np.arange(count),
        critical=given.get("critical", np.zeros(count)).astype(bool),
    )


def _checked_step(table: pd.DataFrame, time: "pd.Series[Any]", trace: str) -> float:
    """Return the seconds from one sample to the next. time: the column as given, for messages."""

    def refuse(bad: "pd.Series[bool]", why: str) -> None:
        if bad.any():
            row = int(bad.to_numpy().argmax())
            raise UserError(f"{trace}: workload {table['workload'][row]} at {time[row]} s: {why}")

    refuse(table["workload"].isna(), "the workload has no name")
    refuse(~np.isfinite(table["t_s"]), "t_s must be a finite number")
    refuse(~np.isfinite(table["watts"]), "watts must be a finite number")
    refuse(table["watts"] < 0, "negative watts")
    refuse(table.duplicated(["workload", "t_s"]), "duplicate sample")
    times = table.groupby("workload", sort=False)["t_s"]
    gone = times.diff()
    refuse(gone < 0, "the clock goes backwards")
    step = gone.min()
    if not step > 0 or SLOT_S % step:
        raise UserError(f"{trace}: samples must be {SLOT_S} s or an integer fraction of that apart, got {step:g} s")
    refuse(gone.fillna(step) % step != 0, f"the clock jumps; samples are {step:g} s apart elsewhere")
    refuse(gone > step, "samples before it are missing")
    ends = times.agg(["min", "max"])
    if (other := ends[(ends != ends.iloc[0]).any(axis=1)]).size:
        raise UserError(f"{trace}: workload {other.index[0]} must begin and end at the same times as {ends.index[0]}")
    return float(step)


def fleet_of(trace: Recorded, count: int, weeks: int, seed: int, mix: str, nameplate_w: float) -> Fleet:
    """Sample `count` of the trace's workloads without replacement, by the seed and by the mix's weights of their kinds.
    The idle power of a server is the lowest in the trace. Fleets of different seeds may share workloads.

    Raises UserError where the trace has too few workloads or weeks, or draws more than the nameplate.
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
        raise UserError(f"{source}: {most:,.0f} W is above placement.fleet.nameplate_w, {nameplate_w:,.0f} W")
    if most == trace.watts.min():
        raise UserError(f"{source}: all workloads draw the same power all the time")
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
