"""Processor time of a token of SmolLM2-135M in several engines, on one core: read in a prompt of 256 tokens (left) and
written after it (right). Filled marks were run here and show medians with minimum and maximum; open marks are cited
from another machine, because the engine is not installed or was not run here. The dotted line is a larger model, with
2.7 times the parameters, in the first engine."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.palette import BLUE, GREY, INK
from jouleproof.drawing.points import median_and_ends, points
from jouleproof.drawing.select import where
from jouleproof.drawing.style import HEIGHT, WIDTH, name_rows
from jouleproof.evidence.tables import CITED

TITLE = "The engine against the size of the model"
SOURCES = ["slm_energy/engines", "slm_energy/cost"]
LABELS = {
    "runner": "this project's",
    "runner_bfloat16": "this project's",
    "eager": "this project's, plain torch",
    "transformers": "transformers",
    "llama_cpp": "llama.cpp",
    "ctranslate2": "CTranslate2",
}
TITLES = {"prompt": "reading a prompt", "token": "writing"}


def draw(engines: pd.DataFrame, cost: pd.DataFrame) -> Figure:
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, HEIGHT), sharey=True)
    engines = where(engines, metric="cpu_ms_per_token")
    names = list(dict.fromkeys(zip(engines["engine"], engines["weights"], strict=True)))
    for axis, (phase, title) in zip(axes, TITLES.items(), strict=True):
        _times(axis, where(engines, phase=phase), [name for name, _ in names])
        larger = _larger(cost, phase)
        if larger:
            axis.axvline(larger, color=GREY, lw=0.9, ls=":")
        axis.set_title(title, loc="left")
        axis.set(xlim=(0, None), xlabel="CPU time of a token (ms)")
    name_rows(axes[0], [f"{LABELS.get(name, name)}, {weights}" for name, weights in names])
    return figure


def _times(axis: Axes, rows: pd.DataFrame, names: list[str]) -> None:
    for name, of_engine in rows.groupby("engine", sort=False):
        cited = (of_engine["tier"] == CITED).any()
        look = {"fillstyle": "none", "color": INK} if cited else {"fillstyle": "full", "color": BLUE}
        points(axis, median_and_ends(of_engine["value"]), names.index(str(name)), marker="o", capsize=2, **look)


def _larger(cost: pd.DataFrame, phase: str) -> float | None:
    """Return the ms per token of the largest shape in float32, one text at a time."""
    sizes = where(cost, metric="computing_parameters").set_index("model")["value"]
    if len(sizes) < 2:
        return None
    rows = where(cost, metric="cpu_ms_per_token", model=sizes.idxmax(), format="float32", phase=phase, batch=1)
    return float(rows["value"].median())
