"""Processor time of a token of SmolLM2-135M in several programs, on one core: read in a prompt of 256 tokens (left) and
written after it (right). Full marks were run here, medians with the least and the most; open marks are cited from a run
elsewhere, where the program is not installed or was not run. The dotted line is a larger model, of 2.7 times the
parameters, in the first program."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.palette import BLUE, GREY, INK
from jouleproof.drawing.style import HEIGHT, WIDTH
from jouleproof.evidence.tables import CITED

TITLE = "The engine against the size of the model"
SOURCES = ["slm_energy/engines", "slm_energy/cost"]
LABELS = {
    "runner": "this project's", "runner_bfloat16": "this project's", "eager": "this project's, plain torch",
    "transformers": "transformers", "llama_cpp": "llama.cpp", "ctranslate2": "CTranslate2",
}  # fmt: skip
TITLES = {"prompt": "reading a prompt", "token": "writing"}


def draw(engines: pd.DataFrame, cost: pd.DataFrame) -> Figure:
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, HEIGHT), sharey=True)
    engines = engines[engines["metric"] == "cpu_ms_per_token"]
    names = list(dict.fromkeys(zip(engines["engine"], engines["weights"], strict=True)))
    for axis, phase in zip(axes, TITLES, strict=True):
        _times(axis, engines[engines["phase"] == phase], names)
        larger = _larger(cost, phase)
        if larger:
            axis.axvline(larger, color=GREY, lw=0.9, ls=":")
        axis.set_title(TITLES[phase], loc="left")
        axis.set_xlim(left=0)
        axis.set_xlabel("CPU time of a token (ms)")
    axes[0].set_yticks(range(len(names)), [f"{LABELS.get(name, name)}, {weights}" for name, weights in names])
    axes[0].set_ylim(len(names) - 0.5, -0.5)
    return figure


def _times(axis: Axes, rows: pd.DataFrame, names: list[tuple[str, str]]) -> None:
    for place, (name, _) in enumerate(names):
        of_engine = rows[rows["engine"] == name]
        if of_engine.empty:
            continue
        values, cited = of_engine["value"], (of_engine["tier"] == CITED).any()
        middle = values.median()
        fill, colour = ("none", INK) if cited else ("full", BLUE)
        ends = [[middle - values.min()], [values.max() - middle]]
        axis.errorbar(middle, place, xerr=ends, marker="o", fillstyle=fill, color=colour, capsize=2)


def _larger(cost: pd.DataFrame, phase: str) -> float | None:
    """ms, of the largest shape in float32, alone."""
    sizes = cost[cost["metric"] == "computing_parameters"].set_index("model")["value"]
    if len(sizes) < 2:
        return None
    rows = cost[(cost["metric"] == "cpu_ms_per_token") & (cost["model"] == sizes.idxmax())]
    rows = rows[(rows["format"] == "float32") & (rows["phase"] == phase) & (rows["batch"] == 1)]
    return float(rows["value"].median())
