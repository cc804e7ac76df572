"""What meters say that one workload takes (W; s of the processor where they count no joules), means over its repeats;
whether they ran here or elsewhere; – where they give no number."""

import pandas as pd

from jouleproof.drawing.style import TIER_MARKS

TITLE = "Meters"
SOURCES = ["slm_energy/meter_audit"]
FACTORS = ["tool", "version", "mode", "state"]
COLUMNS = [(workload, where) for where in ("alone", "beside others") for workload in ("busy", "asleep")]


def tabulate(meter_audit: pd.DataFrame) -> pd.DataFrame:
    ran = meter_audit[meter_audit["workload"] != ""]
    rows = []
    for (tool, version, mode, state), group in ran.groupby(FACTORS, sort=False):
        power = group[group["metric"] == "power"]
        shown, form = (power, "{:.1f}") if len(power) else (group[group["metric"] == "cpu_s"], "{:.2f} s")
        mean = shown.groupby(["workload", "neighbours"])["value"].mean()
        mark = f" {TIER_MARKS[shown['tier'].iloc[0]]}" if len(shown) else ""
        rows.append(
            {"meter": f"{tool} {version}", "mode": f"{mode}{mark}", "where": state}
            | {f"{workload}, {where}": form.format(mean[workload, where]) if (workload, where) in mean else "–"
               for workload, where in COLUMNS}
        )  # fmt: skip
    return pd.DataFrame(rows)
