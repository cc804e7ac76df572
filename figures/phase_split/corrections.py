"""Change of each published ratio if a single mistake is corrected, for the conversation service: the ratio over that
under the published rules, with pools searched again each time. The first column has the published pools instead, if
there are any. The grouped cache applies to Llama2-70B, whose heads share keys and values; its column is relative to the
published rules for that model. The source uses a price ratio of H100 to A100 machines of 2.154. The last columns have
all corrections, without and with bursts in the arrivals. Below 1, a throughput advantage shrinks; above 1, a power or
cost ratio grows."""

import pandas as pd
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from jouleproof.drawing.cells import fixed
from jouleproof.drawing.select import unique, where
from jouleproof.drawing.style import HEADLINES, HEIGHT, WIDTH

TITLE = "What each correction does to the published ratios"
SOURCES = ["phase_split/headlines", "phase_split/corrections"]
UNGROUPED, GROUPED = "Llama2-70B", "Llama2-70B, grouped queries"


def draw(headlines: pd.DataFrame, corrections: pd.DataFrame) -> Figure:
    table = _over_published(headlines, where(corrections, metric="ratio"))
    figure, axis = plt.subplots(figsize=(WIDTH, 1.35 * HEIGHT))
    numbers = {"annot": table.map(lambda ratio: fixed(ratio, 2)), "fmt": "", "annot_kws": {"fontsize": 7}}
    bar = {"shrink": 0.8, "label": "ratio over the published rules' (1)"}
    sns.heatmap(table.fillna(1), cmap="PuOr", norm=TwoSlopeNorm(1, 0.4, 1.6), cbar_kws=bar, ax=axis, **numbers)
    axis.tick_params(bottom=True, left=True)
    axis.set_xticks(axis.get_xticks(), [name.replace(", ", ",\n") for name in table.columns], rotation=40, ha="right")
    axis.set_yticks(axis.get_yticks(), [HEADLINES[name] for name in table.index])
    axis.set(xlabel="", ylabel="")
    return figure


def _over_published(headlines: pd.DataFrame, corrections: pd.DataFrame) -> pd.DataFrame:
    """Return ratios over those under the published rules, by headline and by correction."""
    draws = {"service": corrections["service"].iloc[0], "metric": "ratio", "seed": unique(corrections["seed"])}
    by_rules = where(headlines, **draws).groupby(["setup", "headline"])["value"].mean()
    alone = corrections.groupby(["headline", "setup"], sort=False)["value"].mean().unstack("setup")
    alone = alone[unique(corrections["setup"])]
    alone.insert(len(alone.columns) - 1, "all corrections", by_rules["corrected"])
    grouped = alone[GROUPED] / alone[UNGROUPED]
    table = alone.div(by_rules["published"], axis=0).assign(**{GROUPED: grouped})
    return table.drop(columns=UNGROUPED).loc[list(HEADLINES)]
