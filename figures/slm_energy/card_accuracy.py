"""Right answers to grade school math (GSM8K) against parameters, as Microsoft's cards of Phi models give them,
prompts with eight examples. A mixture of experts has two marks, joined: the parameters that compute for a token, and
all of them. The line joins the models that none smaller, by all parameters, matches. Bars: 95 %, for a drawing of
other questions."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from jouleproof.drawing.palette import BLUE, GREY, INK, PALE
from jouleproof.drawing.style import HEIGHT, WIDTH
from jouleproof.evidence.intervals import share_interval

TITLE = "Grade school math against parameters"
SOURCES = ["slm_energy/cards"]
PROTOCOL = "8-shot CoT"
PHI, OTHERS, FRONT = (BLUE, "D"), (INK, "o"), PALE
ABOVE = (0, 6, "center", "bottom")  # where a name stands beside its mark: points right, points up, alignment
PLACES = {
    "Phi-3-mini": (-4, 8, "left", "bottom"), "Phi-3-small": (0, 12, "center", "bottom"),
    "Phi-3-medium": (0, 8, "center", "bottom"), "Phi-3.5-MoE": (0, 6, "center", "bottom"),
    "Llama 3 8B": (-6, 0, "right", "center"), "Llama 3.1 8B": (-6, 0, "right", "center"),
    "Gemma 2 9B": (3, -13, "left", "top"), "Mistral Nemo 12B": (7, 0, "left", "center"),
    "Mixtral 8x22B": (-6, 8, "center", "bottom"), "Mixtral 8x7B": (6, -3, "left", "top"),
    "Command R+": (0, -9, "center", "top"), "Gemma 7B": (7, 0, "left", "center"),
    "Mistral 7B": (7, 0, "left", "center"),
}  # fmt: skip


def draw(cards: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(WIDTH, 1.25 * HEIGHT))
    asked = cards[(cards["task"] == "GSM8K") & (cards["protocol"] == PROTOCOL)]
    questions = int(asked.loc[asked["metric"] == "questions", "value"].iloc[0])
    scores = asked[(asked["metric"] == "score") & (asked["total_b"] > 0)].drop_duplicates("model")
    for row in scores[["model", "family", "value", "total_b", "active_b"]].itertuples(index=False):
        _model(axis, questions, *row)
    _front(axis, scores)
    axis.set_xscale("log")
    ticks = [4, 8, 16, 32, 64, 128]
    axis.set_xticks(ticks, [str(tick) for tick in ticks])
    axis.minorticks_off()
    axis.set_xlabel("parameters (billions)")
    axis.set_ylabel("right answers (%)")
    makers = {"Phi-3 and Phi-3.5": PHI, "other makers' models": OTHERS}
    handles = [Line2D([], [], color=colour, marker=marker, ls="", label=label)
               for label, (colour, marker) in makers.items()]  # fmt: skip
    handles.append(Line2D([], [], color=GREY, marker="o", fillstyle="none", ls=":", label="computing for a token"))
    handles.append(Line2D([], [], color=FRONT, lw=0.9, label="no smaller one matches these"))
    figure.legend(handles=handles, loc="outside upper center", ncols=4, columnspacing=1.2)
    return figure


def _model(axis: Axes, questions: int, name: str, family: str, score: float, total: float, active: float) -> None:
    colour, marker = PHI if family.startswith("Phi-3") else OTHERS
    share = share_interval(round(score / 100 * questions), questions)
    reach = [[score - 100 * share.low], [100 * share.high - score]]
    axis.errorbar(total, score, reach, color=colour, marker=marker, capsize=2, ls="")
    if active < total:
        axis.plot([active, total], [score, score], color=colour, lw=0.8, ls=":")
        axis.plot(active, score, color=colour, marker=marker, fillstyle="none", ls="")
    right, up, ha, va = PLACES.get(name, ABOVE)
    axis.annotate(name, (total, score), xytext=(right, up), textcoords="offset points", ha=ha, va=va,
                  fontsize=6.5, color=colour)  # fmt: skip


def _front(axis: Axes, scores: pd.DataFrame) -> None:
    ordered = scores.sort_values(["total_b", "value"], ascending=[True, False])
    best = ordered[ordered["value"] > ordered["value"].cummax().shift(fill_value=float("-inf"))]
    axis.step(best["total_b"], best["value"], where="post", color=FRONT, lw=0.9, zorder=0)
