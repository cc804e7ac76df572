"""SmolLM2-135M, whose weights were already rounded to 4 bits, on tasks that it can partly solve. Left: the bits that
rounding the weights again adds to each byte of a worked GSM8K solution, over float32 on the same solutions, against the
bits of a weight; formats of one width are shown side by side. Right: the share of right answers, with a tick (|) for a
guess, and above it the processor time of a right answer on one core with its 95 % range, or only its lower end if no
answer was right. Bars are 95 % intervals over solutions or questions."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.palette import BLUE, GREY, INK
from jouleproof.drawing.points import points
from jouleproof.drawing.select import where
from jouleproof.drawing.style import HEIGHT, WIDTH, format_label, format_style
from jouleproof.evidence.intervals import draws_interval, mean_interval, share_interval

TITLE = "Quality and cost of a small model"
SOURCES = ["slm_energy/quality", "slm_energy/cost"]
QUESTIONS = {
    "choice": "sums, one of four",
    "calculator_step": "calculations in solutions",
    "exact_match": "GSM8K problems",
}
APART = 0.3  # bits between formats of one width


def draw(quality: pd.DataFrame, cost: pd.DataFrame) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 1.1 * HEIGHT), width_ratios=[1.15, 1])
    first = where(quality, model=quality["model"].iloc[0])
    _rounded(left, where(first, metric="bits_per_byte"))
    _answers(right, where(first, format="float32"), cost)
    return figure


def _rounded(axis: Axes, bits: pd.DataFrame) -> None:
    by_format = {str(name): rows.set_index("item")["value"] for name, rows in bits.groupby("format", sort=False)}
    plain = by_format.pop("float32")
    width = bits.groupby("format")["bits"].first()
    for name, look in format_style(by_format).items():
        added = mean_interval((by_format[name] - plain[by_format[name].index]).to_numpy())
        alike = [other for other in by_format if width[other] == width[name]]
        across = width[name] + APART * (alike.index(name) - (len(alike) - 1) / 2)
        points(axis, across, added, capsize=2, elinewidth=1.2, label=format_label(name), **look)
    axis.axhline(0, color=GREY, lw=0.7)
    axis.set(xlabel="width of a weight, scales included (bits)", ylabel="added bits per byte (bits/byte)")
    axis.legend(fontsize=6.5, ncols=3, loc="upper left", bbox_to_anchor=(-0.1, -0.2))


def _answers(axis: Axes, scores: pd.DataFrame, cost: pd.DataFrame) -> None:
    asked = [name for name in QUESTIONS if name in set(scores["metric"])]
    for place, name in enumerate(asked):
        items = where(scores, metric=name)
        right = int(items["value"].sum())
        points(axis, share_interval(right, len(items)), place, marker="o", color=BLUE, capsize=2)
        chance = float(items["chance"].iloc[0])
        if chance:
            axis.plot(chance, place, marker="|", ms=12, color=INK, lw=0)
        axis.text(1.0, place - 0.2, _price(cost, name, right > 0), fontsize=6.5, ha="right", va="bottom")
    axis.set_yticks(range(len(asked)), [QUESTIONS[name] for name in asked])
    axis.set_ylim(len(asked) - 0.4, -0.7)
    axis.set(xlim=(-0.03, 1.0), xlabel="right answers (share)")


def _price(cost: pd.DataFrame, task: str, any_right: bool) -> str:
    rows = where(cost, metric="cpu_s_per_correct", task=task, format="float32")
    if rows.empty:
        return ""
    estimate = draws_interval(where(rows, batch=rows["batch"].min())["value"].to_numpy())
    if not any_right:
        return f"over {estimate.low:.3g} CPU-s per right answer"
    return f"{estimate.value:.2g} [{estimate.low:.2g}, {estimate.high:.2g}] CPU-s per right answer"
