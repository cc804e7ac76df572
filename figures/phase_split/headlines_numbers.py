"""The published ratios in numbers: what is compared and stated, the design and pools (prompt + token machines) that a
search found, their price and power over the baseline's, and the ratio with its 95 % interval over draws of requests."""

import pandas as pd

from jouleproof.drawing.style import DESIGN_LABELS, HEADLINES, SERVICE_LABELS
from jouleproof.evidence.intervals import mean_interval

TITLE = "Published ratios in numbers"
SOURCES = ["phase_split/headlines"]


def tabulate(headlines: pd.DataFrame) -> pd.DataFrame:
    ratios = headlines[headlines["metric"] == "ratio"]
    return pd.DataFrame(
        [
            _row(rows, name, str(service), str(setup))
            for name in HEADLINES
            for (service, setup), rows in ratios[ratios["headline"] == name].groupby(["service", "setup"], sort=False)
        ]
    )


def _row(rows: pd.DataFrame, name: str, service: str, setup: str) -> dict[str, str]:
    first, ratio = rows.iloc[0], mean_interval(rows["value"].to_numpy())
    return {
        "ratio": HEADLINES[name][0],
        "stated": f"{HEADLINES[name][1]:g}",
        "service": SERVICE_LABELS[service],
        "rules": setup,
        "design": DESIGN_LABELS[first["design"]],
        "pools": f"{first['prompt_machines']} + {first['token_machines']}",
        "price": f"{first['price']:.2f}",
        "power": f"{first['power']:.2f}",
        "here": f"{ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]",
    }
