# %% [markdown]
# # Split clusters: what their gain depends on
# Uses the tables of `snakemake phase_split`. Nothing here writes into `results/`.

# %%
import os
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from jouleproof.drawing import style
from jouleproof.drawing.registry import built_in_figure
from jouleproof.evidence.intervals import mean_interval
from jouleproof.evidence.tables import read
from jouleproof.serving.simulator.clusters import FAMILIES, Prices

RESULTS = Path(os.environ.get("JOULEPROOF_RESULTS", "results"))
draw = built_in_figure("phase_split/headlines").draw
style.use_style()

# %%
headlines = read(RESULTS / "phase_split/headlines.parquet")
ratios = headlines[headlines["metric"] == "ratio"]
ratios.groupby(["headline", "service", "setup"])["value"].mean().unstack().round(2)

# %% [markdown]
# ## The figure of the paper

# %%
figure = draw(headlines)

# %% [markdown]
# ## One assumption changed: the price of an H100 machine
# In the source's notebooks it is 2.15 times that of an A100 machine. At which price does a design serve more per unit
# of money than machines that do both phases? Corrected rules, conversation, published pools, 95 % intervals over draws.

# %%
capacity = read(RESULTS / "phase_split/capacity.parquet")
some = capacity[(capacity["version"] == "corrected") & (capacity["service"] == "conv")]
some = some[some["design"].isin(FAMILIES)]


def load_per_price(design: str, h100: float) -> pd.Series:
    """Requests/s per unit of price, by seed. h100: price of an H100 machine over that of an A100 machine."""
    rows = some[some["design"] == design].set_index("seed")
    pools = rows[["prompt_machines", "token_machines"]].iloc[0]
    return rows["value"] / Prices(h100).of_design(FAMILIES[design].design(*map(int, pools)))


prices = np.linspace(1.2, 3.0, 10)
figure, axis = plt.subplots()
for design, look in style.design_style(set(some["design"]) - {"baseline_h100"}).items():
    over = [load_per_price(design, price) / load_per_price("baseline_h100", price) for price in prices]
    means = [mean_interval(values.to_numpy()[None]) for values in over]
    low, high = [mean.low for mean in means], [mean.high for mean in means]
    axis.plot(prices, [mean.value for mean in means], **look)
    axis.fill_between(prices, low, high, color=look["color"], alpha=0.15, lw=0)
axis.axvline(Prices().h100, color="#444444", lw=0.8, ls=":")
axis.axhline(1, color="#444444", lw=0.8)
axis.set_xlabel("price of an H100 machine over an A100 machine (dotted: the source's)")
axis.set_ylabel("load per price\nover Baseline-H100")
_ = axis.legend(ncols=2)
