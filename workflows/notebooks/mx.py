# %% [markdown]
# # MX formats: what a block costs and what it saves
# Uses the tables of `snakemake mx`. Change a cell and run it again; nothing here writes into `results/`.

# %%
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from jouleproof.drawing import style
from jouleproof.drawing.registry import built_in_figure
from jouleproof.evidence.intervals import mean_interval
from jouleproof.evidence.tables import read
from jouleproof.formats import FORMATS, fake_quantize

RESULTS = Path(os.environ.get("JOULEPROOF_RESULTS", "results"))
draw = built_in_figure("mx/qsnr").draw
style.use_style()

# %%
qsnr = read(RESULTS / "mx/qsnr.parquet")
qsnr.groupby(["distribution", "format", "scale"])["value"].mean().unstack().round(1)

# %% [markdown]
# ## The figure of the paper

# %%
figure = draw(qsnr)

# %% [markdown]
# ## One assumption changed: the block size
# In the specification, 32 elements share one scale of 8 bits. What QSNR do other block sizes of MXFP4 give, and at how
# many bits per element? Normal vectors, the `floor` rule, 95 % intervals over seeds.

# %%
BLOCKS = (8, 16, 32, 64)
SEEDS = range(8)


def qsnr_db(block: int, seed: int) -> float:
    x = np.random.default_rng(seed).standard_normal((500, 64), dtype=np.float32)
    error = x - fake_quantize(x, replace(FORMATS["mxfp4"], name=f"blocks of {block}", block=block))
    return float(10 * np.log10(np.square(x).sum(dtype=float) / np.square(error).sum(dtype=float)))


rows = []
for block in BLOCKS:
    mean = mean_interval(np.array([[qsnr_db(block, seed) for seed in SEEDS]]))
    ratio = {"QSNR (dB)": mean.value, "low": mean.low, "high": mean.high}
    rows.append({"block": block, "bits per element": 4 + 8 / block, **ratio})
pd.DataFrame(rows).round(2)

# %% [markdown]
# Under `floor` the largest element of a block may saturate, and smaller blocks have more of these. Give `fake_quantize`
# the argument `scale="rceil"` and see.
