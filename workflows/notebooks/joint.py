# %% [markdown]
# # The levers together: do their savings multiply?
# Uses the tables of `snakemake joint` and of the studies that it reads. Nothing here writes into `results/`.

# %%
import json
import os
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

import pandas as pd

from jouleproof.drawing import style
from jouleproof.drawing.registry import built_in_figure
from jouleproof.evidence.tables import read
from jouleproof.studies.joint import TABLES
from jouleproof.studies.joint.config import JointConfig
from jouleproof.studies.joint.experiments.levers import levers

RESULTS = Path(os.environ.get("JOULEPROOF_RESULTS", "results"))
draw = built_in_figure("joint/waterfall").draw
style.use_style()

# %%
table = read(RESULTS / "joint/levers.parquet")


def medians(of: pd.DataFrame) -> pd.DataFrame:
    ratios = of[of["metric"].isin(["joules_ratio", "joules_overlap"])]
    return ratios.groupby(["plain", "levers", "metric"], sort=False)["value"].median().unstack()


medians(table).round(3)

# %% [markdown]
# ## The figure of the paper

# %%
figure = draw(table)

# %% [markdown]
# ## One assumption changed: the router
# A router never knows which questions the small model can answer. What if it did, and sent exactly these to the small
# model?

# %%
knobs = json.loads((RESULTS / "config.json").read_text(encoding="utf-8"))["joint"]
config = JointConfig.model_validate_json(json.dumps(knobs))
knowing = config.assumptions.model_copy(update={"recognised": [1.0, 1.0], "mistaken": [0.0, 0.0]})
tables = {name.rpartition("/")[2]: read(RESULTS / f"{name}.parquet") for name in TABLES}
with redirect_stderr(StringIO()):  # hides the progress
    again = levers(config.model_copy(update={"assumptions": knowing}), **tables)

pd.concat({"as assumed": medians(table), "a router that knows": medians(again)}, axis=1).round(3)
