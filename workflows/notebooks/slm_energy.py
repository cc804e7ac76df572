# %% [markdown]
# # Small models: the cost of a right answer
# Uses the tables of `snakemake slm_energy`. Nothing here writes into `results/`.

# %%
import json
import os
from pathlib import Path

import pandas as pd

from jouleproof.drawing import style
from jouleproof.drawing.registry import built_in_figure
from jouleproof.evidence.tables import read
from jouleproof.studies.slm_energy.config import Bounds, SlmEnergyConfig
from jouleproof.studies.slm_energy.experiments.ladder_cost import ladder_energy

RESULTS = Path(os.environ.get("JOULEPROOF_RESULTS", "results"))
draw = built_in_figure("slm_energy/ladder").draw
style.use_style()

# %%
names = ("ladder", "ladder_equal_flops", "ladder_cost", "ladder_energy")
ladder, equal_flops, cost, energy = (read(RESULTS / f"slm_energy/{name}.parquet") for name in names)
times = cost[cost["metric"] == "cpu_ms"]
times.groupby(["what", "batch", "size"])["value"].median().unstack().round(2)

# %% [markdown]
# ## The figure of the paper

# %%
figure = draw(ladder, equal_flops, cost)

# %% [markdown]
# ## One assumption changed: the watts of a core
# No counter measured joules here; they are modelled from CPU seconds, at 1.9 to 6 W a core. What if a core draws
# three times as much? Medians of the draws, as before and changed: joules move, ratios of joules hardly do.

# %%
knobs = json.loads((RESULTS / "config.json").read_text(encoding="utf-8"))["slm_energy"]
config = SlmEnergyConfig.model_validate_json(json.dumps(knobs))
before = config.power.core_w
changed = config.power.model_copy(
    update={"core_w": Bounds(low=3 * before.low, middle=3 * before.middle, high=3 * before.high, source="what if")}
)
again = ladder_energy(config.model_copy(update={"power": changed}), ladder, equal_flops, cost)


def medians(table: pd.DataFrame) -> pd.Series:
    factors = [name for name in table.columns if name not in ("value", "repeat", "seed", "tier")]
    return table.groupby(factors)["value"].median()


both = pd.DataFrame({"as assumed": medians(energy), "three times the watts": medians(again)})
both.assign(factor=both["three times the watts"] / both["as assumed"]).round(4)
