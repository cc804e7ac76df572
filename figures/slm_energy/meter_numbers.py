"""Reports of meters on one workload (W; CPU seconds if they count no joules), as means over its repeats, and whether
they ran on this machine. A dash (–) marks meters that give no number."""

import pandas as pd

from jouleproof.drawing.cells import MISSING
from jouleproof.drawing.select import where
from jouleproof.drawing.style import TIER_MARKS

TITLE = "Meters"
SOURCES = ["slm_energy/meter_audit"]
METER = ["tool", "version", "mode", "state"]
COLUMNS = [("busy", "alone"), ("asleep", "alone"), ("busy", "beside others"), ("asleep", "beside others")]


def tabulate(meter_audit: pd.DataFrame) -> pd.DataFrame:
    ran = meter_audit[meter_audit["workload"] != ""]
    return pd.DataFrame(_row(rows) for _, rows in ran.groupby(METER, sort=False))


def _row(rows: pd.DataFrame) -> dict[str, str]:
    tool, version, mode, state = rows[METER].iloc[0]
    power, seconds = where(rows, metric="power"), where(rows, metric="cpu_s")
    shown, form = (power, "{:.1f}") if len(power) else (seconds, "{:.2f} s")
    mean = shown.groupby(["workload", "neighbours"])["value"].mean()
    mark = f" {TIER_MARKS[shown['tier'].iloc[0]]}" if len(shown) else ""
    return {
        "meter": f"{tool} {version}",
        "mode": f"{mode}{mark}",
        "where": state,
        **{", ".join(case): form.format(mean[case]) if case in mean else MISSING for case in COLUMNS},
    }
