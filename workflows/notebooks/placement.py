# %% [markdown]
# # Placement: what a power profile is worth
# Rests on the tables of `snakemake placement`. Nothing here writes into `results/`.

# %%
from pathlib import Path

import pandas as pd

import bench
from bench.placement.config import FleetConfig, HostingConfig, PlacementConfig
from bench.placement.experiments.hosting import hosting as run_hosting
from bench.results import read
from bench.stats import mean_interval
from figures import style
from figures.placement.rules import draw

RESULTS = Path(bench.__file__).parents[1] / "results"
style.use_style()

# %%
hosting = read(RESULTS / "placement/hosting.parquet")
work = hosting[hosting["metric"] == "work"]
work.groupby(["information", "rule"])["value"].mean().unstack().round(3)

# %% [markdown]
# ## The figure of the paper

# %%
figure = draw(hosting)

# %% [markdown]
# ## One assumption changed: weeks repeat
# The generated fleets do next week what they did this week. Here a small hall is filled again with weeks of which half,
# then nothing, repeats: work hosted with a profile by hour of the day, over that with the mean, margins set in hindsight
# so that both run one risk. 95 % intervals over fleets.

# %%
SEEDS = 3


def gain(predictable: float) -> dict[str, float]:
    config = PlacementConfig(
        fleet=FleetConfig(servers=30, predictable=predictable),
        hosting=HostingConfig(information=["nameplate", "mean", "slots24"], rules=["asynchrony"], rows=[10],
                              seeds=SEEDS),
    )  # fmt: skip
    table = run_hosting(config)
    rows = table[(table["metric"] == "level_over_mean") & (table["information"] == "slots24")]
    found = mean_interval(rows.groupby("seed")["value"].mean().to_numpy()[None])
    return {"weeks repeat": predictable, "gain": found.value, "low": found.low, "high": found.high}


pd.DataFrame([gain(predictable) for predictable in (1.0, 0.5, 0.0)]).round(3)
