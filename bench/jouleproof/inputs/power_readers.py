"""Readers of recorded loads, given as jobs or as power domains: strict, with an error of one line on any other
content."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from jouleproof.errors import system_reason
from jouleproof.inputs.files import InputError
from jouleproof.inputs.readers import _at_least, _csv, _parquet, _same_units

if TYPE_CHECKING:
    import pandas as pd

SLOT_S = 300
OFF_GRID = 0.01  # share of a slot by which a time may miss its grid, as rounded ones do
_MOST_BYTES = 1 << 28
DOMAIN_COLUMNS = [
    "time",
    "cell",
    "pdu",
    "measured_power_util",
    "production_power_util",
    "bad_measurement_data",
    "bad_production_power_data",
]


def read_job_use(fragments: Path, tasks: Path, least_s: float) -> pd.DataFrame:
    """CPU use of the jobs that run for at least `least_s`, as shares of each job's capacity: a row for every five
    minutes since the first submission, a column for each job, NaN while it does not run (SURF LISA). fragments: id,
    duration (ms) and cpu_usage (MHz), those of a job in order and without gaps; tasks: id, submission_time and
    duration (ms), cpu_capacity (MHz).

    Raises InputError if a file is not such a table, a value is negative or not finite, a job is described twice or not
    at all, the fragments of a job do not add up to its duration, or no job runs that long.
    """
    import pandas as pd

    used = _parquet(fragments, ["id", "duration", "cpu_usage"])
    described = _parquet(tasks, ["id", "submission_time", "duration", "cpu_capacity"])
    if described["id"].duplicated().any():
        raise InputError(f"{tasks} has a duplicate job")
    for path, table, name, least, unit in (
        (fragments, used, "duration", 1, "ms"),
        (fragments, used, "cpu_usage", 0, "MHz"),
        (tasks, described, "submission_time", 0, "ms"),
        (tasks, described, "duration", 0, "ms"),
        (tasks, described, "cpu_capacity", 1, "MHz"),
    ):
        _at_least(path, table, name, least, unit)
    jobs = described.set_index("id")
    if not used["id"].isin(jobs.index).all():
        raise InputError(f"{tasks}: a job is missing")
    _same_units(fragments, used, used["id"].map(jobs["cpu_capacity"]))
    lasts = used.groupby("id")["duration"].sum().reindex(jobs.index, fill_value=0)
    if (wrong := lasts[lasts != jobs["duration"]]).size:
        raise InputError(f"{fragments}: fragments of job {wrong.index[0]} do not add up to its duration")
    long = jobs[jobs["duration"] >= least_s * 1000]
    if long.empty:
        raise InputError(f"{tasks}: no job runs for {least_s / 3600:g} hours")
    kept = used[used["id"].isin(long.index)]
    began = kept.groupby("id")["duration"].cumsum() - kept["duration"]
    at_ms = kept["id"].map(long["submission_time"]) + began - jobs["submission_time"].min()
    weight = kept["duration"] / kept["duration"].groupby([kept["id"], at_ms // (SLOT_S * 1000)]).transform("sum")
    share = (kept["cpu_usage"] / kept["id"].map(long["cpu_capacity"])).clip(0.0, 1.0) * weight
    use = share.groupby([at_ms // (SLOT_S * 1000), kept["id"]]).sum().unstack()
    return pd.DataFrame(use.reindex(range(int(use.index.max()) + 1)))


def read_power_domain(path: Path) -> pd.Series[float]:
    """Power of one domain as a fraction of its limit, in successive means of five minutes, by seconds; NaN if the
    measurement is flagged as bad (Google's power data of 2019, a CSV file of one domain, gzipped or not).

    Its documentation says that the measurement is not to be trusted if `bad_measurement_data` is false. This reader
    takes the name literally: true is bad. A file with more bad rows than good ones is rejected, since the flag must be
    inverted there. Raises InputError, with the line, on other columns, invalid values, times that repeat or go back,
    and gaps.
    """
    import numpy as np
    import pandas as pd

    table = _csv(path, DOMAIN_COLUMNS, _unzipped(path))

    def refuse(bad: pd.Series[bool], why: str) -> None:
        if bad.any():
            raise InputError(f"{path}, line {bad.index[int(bad.to_numpy().argmax())]}: {why}")

    time_s = pd.to_numeric(table["time"], errors="coerce") / 1e6
    refuse(~np.isfinite(time_s), "time is not a number of microseconds")
    after = time_s.diff()[1:]
    refuse(time_s.diff() == 0, "duplicate time")
    refuse(time_s.diff() < 0, "the clock jumps back")
    gone = time_s.diff().fillna(SLOT_S) / SLOT_S
    refuse((gone - gone.round()).abs() > OFF_GRID, f"the clock jumps: times are not {SLOT_S} s apart, in microseconds")
    refuse(gone.round() > 1, "samples are missing before it")
    for name in ("cell", "pdu"):
        refuse(table[name] != table[name].iloc[0], f"{name} differs from the first line's")
    flag = table["bad_measurement_data"].str.lower()
    refuse(~flag.isin(["true", "false"]), "bad_measurement_data is neither true nor false")
    bad = flag == "true"
    if bad.mean() > 0.5 or len(after) == 0:
        raise InputError(f"{path}: {bad.sum()} of {len(bad)} rows are flagged bad_measurement_data, too many to use")
    watts = pd.to_numeric(table["measured_power_util"], errors="coerce")
    refuse(
        ~bad & ~(np.isfinite(watts) & (watts >= 0) & (watts <= 2)),
        "measured_power_util is not a fraction >= 0",
    )
    return pd.Series(watts.where(~bad).to_numpy(float), index=pd.Index(time_s, name="t_s"))


def _unzipped(path: Path) -> str:
    """Return the text of a file, which may be gzipped, whatever its name. Raises InputError, with the reason."""
    try:
        content = path.read_bytes()
        if content.startswith(b"\x1f\x8b"):
            with gzip.open(io.BytesIO(content)) as file:
                content = file.read(_MOST_BYTES + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{path} is not a gzip file of text: {error}") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {system_reason(error)}") from error
    if len(content) > _MOST_BYTES:
        raise InputError(f"{path} unpacks to more than {_MOST_BYTES:,} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8: byte {error.start} cannot be read") from error
