"""Right answers to grade school math (GSM8K) against parameters, from Microsoft's cards of Phi models, with eight
examples in the prompt. A mixture of experts has two joined marks: the parameters that are active for a token, and all
parameters. The line joins the models that no smaller one matches, counting all parameters. Bars are 95 % intervals for
another draw of questions."""

from dataclasses import replace

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.palette import BLUE, GREY, INK, PALE
from jouleproof.drawing.points import points
from jouleproof.drawing.select import where
from jouleproof.drawing.style import HEIGHT, WIDTH, Look, key, plain_ticks
from jouleproof.evidence.intervals import share_interval

TITLE = "Grade school math against parameters"
SOURCES = ["slm_energy/cards"]
PROTOCOL = "8-shot CoT"
PHI: Look = {"color": BLUE, "marker": "D"}
OTHERS: Look = {"color": INK, "marker": "o"}
FRONT: Look = {"color": PALE, "lw": 0.9}
ABOVE = (0, 6, "center", "bottom")  # position of a name at its mark: points right, points up, alignment
PLACES = {
    "Phi-3-mini": (-4, 8, "left", "bottom"),
    "Phi-3-small": (0, 12, "center", "bottom"),
    "Phi-3-medium": (0, 8, "center", "bottom"),
    "Phi-3.5-MoE": (0, 6, "center", "bottom"),
    "Llama 3 8B": (-6, 0, "right", "center"),
    "Llama 3.1 8B": (-6, 0, "right", "center"),
    "Gemma 2 9B": (3, -13, "left", "top"),
    "Mistral Nemo 12B": (7, 0, "left", "center"),
    "Mixtral 8x22B": (-6, 8, "center", "bottom"),
    "Mixtral 8x7B": (6, -3, "left", "top"),
    "Command R+": (0, -9, "center", "top"),
    "Gemma 7B": (7, 0, "left", "center"),
    "Mistral 7B": (7, 0, "left", "center"),
}


def draw(cards: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(WIDTH, 1.25 * HEIGHT))
    asked = where(cards, task="GSM8K", protocol=PROTOCOL)
    questions = int(where(asked, metric="questions")["value"].iloc[0])
    scores = where(asked[asked["total_b"] > 0], metric="score").drop_duplicates("model")
    for row in scores[["model", "family", "value", "total_b", "active_b"]].itertuples(index=False):
        _model(axis, questions, *row)
    _front(axis, scores)
    axis.set(xscale="log", xlabel="parameters (billions)", ylabel="right answers (%)")
    plain_ticks(axis.xaxis, [4, 8, 16, 32, 64, 128])
    handles = [
        key("Phi-3 and Phi-3.5", **PHI),
        key("other makers' models", **OTHERS),
        key("active for a token", color=GREY, marker="o", fillstyle="none", ls=":"),
        key("matched by no smaller one", **FRONT),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=4, columnspacing=1.2)
    return figure


def _model(axis: Axes, questions: int, name: str, family: str, score: float, total: float, active: float) -> None:
    look = PHI if family.startswith("Phi-3") else OTHERS
    share = share_interval(round(score / 100 * questions), questions).times(100)
    points(axis, total, replace(share, value=score), capsize=2, **look)
    if active < total:
        axis.plot([active, total], [score, score], color=look["color"], lw=0.8, ls=":")
        axis.plot(active, score, fillstyle="none", ls="", **look)
    right, up, ha, va = PLACES.get(name, ABOVE)
    text: Look = {"textcoords": "offset points", "ha": ha, "va": va, "fontsize": 6.5, "color": look["color"]}
    axis.annotate(name, (total, score), xytext=(right, up), **text)


def _front(axis: Axes, scores: pd.DataFrame) -> None:
    ordered = scores.sort_values(["total_b", "value"], ascending=[True, False])
    best = ordered[ordered["value"] > ordered["value"].cummax().shift(fill_value=float("-inf"))]
    axis.step(best["total_b"], best["value"], where="post", zorder=0, **FRONT)
