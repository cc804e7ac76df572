"""Published policies as what they know and how they choose, in rows of ten servers of the default run: margin on the
budgets from the week before, work hosted over what nameplates allow for with its 95 % interval, risk run and power
left stranded with it; the work with a margin set in hindsight, with which all run one risk; and, with the margin from
the week before, power brakes of a row and minutes that workloads of low and of high priority are slowed, in rows that
are replayed at 2 s under a controller. Nameplate: no margin. Oracle: the coming week is known, and its margin spends
the whole risk. Means over seeds."""

import pandas as pd

from jouleproof.drawing.means import over_seeds

TITLE = "Published policies"
SOURCES = ["placement/policies"]
LABELS = {
    "nameplate": "nameplate", "blind": "margin alone, best fit", "blind_spread": "margin alone, spread",
    "resource_central": "Resource Central", "prediction_based": "prediction-based", "coach": "Coach, windows",
    "scattered": "mean week, best fit", "smooth_operator": "SmoothOperator", "profile": "profile, asynchrony",
    "oracle": "oracle",
}  # fmt: skip


def tabulate(policies: pd.DataFrame) -> pd.DataFrame:
    rows = []
    means = policies.groupby(["policy", "metric"])["value"].mean()
    work = over_seeds(policies[policies["metric"] == "work"], ["policy"])
    for name in dict.fromkeys(policies["policy"]):
        of_policy = work.loc[name]
        level = means.get((name, "level_work"))
        rows.append(
            {
                "policy": LABELS.get(name, name), "margin": f"{means[name, 'margin']:.2f}",
                "work": f"{of_policy['value']:.2f} [{of_policy['low']:.2f}, {of_policy['high']:.2f}]",
                "risk (1/1000)": f"{1000 * means[name, 'risk']:.1f}",
                "stranded (%)": f"{100 * means[name, 'stranded']:.1f}",
                "work at one risk run": "" if level is None else f"{level:.2f}",
                "brakes (1/day)": f"{means[name, 'brakes']:.0f}",
                "low slowed (min/day)": f"{means[name, 'low_slowed']:.0f}",
                "high slowed (min/day)": f"{means[name, 'high_slowed']:.0f}",
            }
        )  # fmt: skip
    return pd.DataFrame(rows)
