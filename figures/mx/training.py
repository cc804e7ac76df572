"""A small transformer over bytes, trained from scratch with its linear layers under each recipe: the same starts,
batches and steps. Left: loss on the training batches, mean and range over the seeds. Middle: the same minus float32's
of the same seed. Right: the difference at the end on text held out, every seed (small marks) and the mean's 95 %
interval (Student's t over the seeds). "MXFP4 weights, MXFP6" casts weights to MXFP4, activations and gradients to
MXFP6. The pale bands are the ranges that the ledger accepts, whose token is four bytes."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.palette import GREY
from jouleproof.drawing.style import HEIGHT, LEDGER_TOKEN_BYTES, WIDTH, accepted, accepted_handle, recipe_style
from jouleproof.evidence.intervals import mean_interval

TITLE = "Training in MX formats"
SOURCES = ["mx/training"]
CLAIMS = {"mxfp6": "mx.training.mxfp6", "mxfp4_weights": "mx.training.mxfp4_weights"}


def draw(training: pd.DataFrame) -> Figure:
    styles = recipe_style(training[training["metric"] == "loss"]["recipe"])
    curves = training[training["metric"] == "train_loss"]
    of_recipe = {
        name: rows.pivot(index="step", columns="seed", values="value") for name, rows in curves.groupby("recipe")
    }
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(WIDTH, 1.15 * HEIGHT), width_ratios=[1, 1, 0.7])
    differences = {name: look for name, look in styles.items() if name != "float32"}
    for name, look in styles.items():
        _band(left, of_recipe[name], look)
    for name, look in differences.items():
        _band(middle, of_recipe[name] - of_recipe["float32"], look)
    added = training[training["metric"] == "added_loss"]
    for place, (name, look) in enumerate(differences.items()):
        values = added[added["recipe"] == name]["value"].to_numpy()
        mean = mean_interval(values)
        right.plot([place - 0.24] * len(values), values, ls="", marker="_", color=look["color"], ms=8, mew=1.8)
        ends = [[mean.value - mean.low], [mean.high - mean.value]]
        right.errorbar(place, mean.value, ends, color=look["color"], marker=look["marker"], ms=6, elinewidth=1.4)
    right.sharey(middle)
    for axis in (middle, right):
        axis.axhline(0, color=GREY, lw=0.7)
        axis.set_ylabel("difference to float32 (nats/byte)")
    left.set_ylabel("loss (nats/byte)")
    for axis, title in ((left, "training batches"), (middle, "training batches"), (right, "text held out")):
        axis.set_title(title)
    for axis in (left, middle):
        axis.set_xlabel("step (number)")
    names = [look["label"].replace(", ", ",\n") for look in differences.values()]
    right.set_xticks(range(len(differences)), names, rotation=40, ha="right", rotation_mode="anchor", fontsize=6.5)
    right.set_xlim(-0.6, len(differences) - 0.4)
    for place, name in enumerate(differences):
        if name in CLAIMS:
            accepted(right, CLAIMS[name], (place - 0.45, place + 0.45), way="y", over=LEDGER_TOKEN_BYTES)
    handles, _ = left.get_legend_handles_labels()
    columns = 5 if len(handles) < 5 else 3
    figure.legend(handles=[*handles, accepted_handle()], loc="outside upper center", ncols=columns, columnspacing=1.2)
    return figure


def _band(axis: Axes, curves: pd.DataFrame, look: dict[str, str]) -> None:
    """curves: a row per step, a column per seed."""
    axis.fill_between(curves.index, curves.min(axis=1), curves.max(axis=1), color=look["color"], alpha=0.15, lw=0)
    (line,) = axis.plot(curves.index, curves.mean(axis=1), ms=3.5, markevery=max(1, len(curves) // 6), lw=1)
    line.set(**look)
