"""A small transformer over bytes, trained from scratch with its linear layers under each recipe, with the same starts,
batches and steps. Left: loss on the training batches, mean and range over the seeds. Middle: the same minus float32 of
the same seed. Right: the final difference on held-out text, for every seed (small marks) and the mean with its 95 %
interval (Student's t over the seeds). "MXFP4 weights, MXFP6" casts weights to MXFP4, activations and gradients to
MXFP6. The pale bands are the ranges that the ledger accepts; its token is four bytes.
"""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jouleproof.drawing.ledger import accepted, accepted_handle
from jouleproof.drawing.palette import GREY
from jouleproof.drawing.points import mean_of, points
from jouleproof.drawing.select import where
from jouleproof.drawing.style import HEIGHT, LEDGER_TOKEN_BYTES, WIDTH, Look, recipe_style

TITLE = "Training in MX formats"
SOURCES = ["mx/training"]
CLAIMS = {"mxfp6": "mx.training.mxfp6", "mxfp4_weights": "mx.training.mxfp4_weights"}


def draw(training: pd.DataFrame) -> Figure:
    styles = recipe_style(where(training, metric="loss")["recipe"])
    others = {name: look for name, look in styles.items() if name != "float32"}
    curves = {
        name: rows.pivot(index="step", columns="seed", values="value")
        for name, rows in where(training, metric="train_loss").groupby("recipe")
    }
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(WIDTH, 1.15 * HEIGHT), width_ratios=[1, 1, 0.7])
    for name, look in styles.items():
        _band(left, curves[name], look)
    for name, look in others.items():
        _band(middle, curves[name] - curves["float32"], look)
    _ends(right, where(training, metric="added_loss"), others)
    right.sharey(middle)
    for axis in (middle, right):
        axis.axhline(0, color=GREY, lw=0.7)
        axis.set_ylabel("difference to float32 (nats/byte)")
    left.set_ylabel("loss (nats/byte)")
    for axis in (left, middle):
        axis.set(title="training batches", xlabel="step (number)")
    right.set_title("held-out text")
    for place, name in enumerate(others):
        if name in CLAIMS:
            accepted(right, CLAIMS[name], (place - 0.45, place + 0.45), way="y", over=LEDGER_TOKEN_BYTES)
    handles, _ = left.get_legend_handles_labels()
    columns = 5 if len(handles) < 5 else 3
    figure.legend(handles=[*handles, accepted_handle()], loc="outside upper center", ncols=columns, columnspacing=1.2)
    return figure


def _band(axis: Axes, curves: pd.DataFrame, look: Look) -> None:
    """Draw the mean and range of curves, which have a row per step and a column per seed."""
    axis.fill_between(curves.index, curves.min(axis=1), curves.max(axis=1), color=look["color"], alpha=0.15, lw=0)
    axis.plot(curves.index, curves.mean(axis=1), ms=3.5, markevery=max(1, len(curves) // 6), lw=1, **look)


def _ends(axis: Axes, added: pd.DataFrame, looks: dict[str, Look]) -> None:
    for place, (name, look) in enumerate(looks.items()):
        mark = {"color": look["color"], "marker": look["marker"]}
        seeds = where(added, recipe=name)["value"]
        axis.plot([place - 0.24] * len(seeds), seeds, ls="", marker="_", color=look["color"], ms=8, mew=1.8)
        points(axis, place, mean_of(added, recipe=name), ms=6, elinewidth=1.4, **mark)
    names = [look["label"].replace(", ", ",\n") for look in looks.values()]
    axis.set_xticks(range(len(looks)), names, rotation=40, ha="right", rotation_mode="anchor", fontsize=6.5)
    axis.set_xlim(-0.6, len(looks) - 0.4)
