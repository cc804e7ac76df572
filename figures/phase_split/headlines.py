"""Headline ratios of the published evaluation: the stated value (|, with the range that counts as agreement), and the
results of searched pools under the published rules and under corrected ones. Points are means over draws of the
requests, bars 95 % intervals; filled for the conversation service, hollow for coding."""

from collections.abc import Mapping
from itertools import product
from typing import Literal

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.ledger import accepted, accepted_handle, published
from jouleproof.drawing.palette import GREY, PINE
from jouleproof.drawing.points import apart, mean_of, points
from jouleproof.drawing.select import where
from jouleproof.drawing.style import HEADLINES, HEIGHT, SERVICE_LABELS, VERSION_STYLES, WIDTH, key, name_rows

TITLE = "Published ratios, reproduced and corrected"
SOURCES = ["phase_split/headlines"]
FILLS: Mapping[str, Literal["full", "none"]] = {"conv": "full", "code": "none"}


def draw(headlines: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(WIDTH, 1.25 * HEIGHT))
    cases = list(product(FILLS.items(), VERSION_STYLES.items()))
    for place, name in enumerate(HEADLINES):
        axis.plot(published(f"phase_split.{name}"), place, "|", ms=16, mew=1.6, color=PINE)
        for number, ((service, fill), (version, (colour, marker))) in enumerate(cases):
            rows = where(headlines, metric="ratio", headline=name, setup=version, service=service)
            if len(rows):
                off = place + apart(number, len(cases), 0.8)
                look = {"color": colour, "marker": marker, "fillstyle": fill}
                points(axis, mean_of(rows), off, ms=4.5, elinewidth=1.0, **look)
    axis.axvline(1, color=GREY, lw=0.7)
    name_rows(axis, list(HEADLINES.values()), 0.6)
    axis.set_xlim(left=0)
    axis.set_xlabel("ratio (1)")
    for place, name in enumerate(HEADLINES):
        accepted(axis, f"phase_split.{name}", (place - 0.4, place + 0.4))
    handles = [key("stated", color=PINE, marker="|", ms=11, mew=1.6), accepted_handle()]
    for (service, fill), (version, (colour, marker)) in cases:
        handles.append(key(f"{version}, {SERVICE_LABELS[service]}", color=colour, marker=marker, fillstyle=fill))
    figure.legend(handles=handles, loc="outside upper left", ncols=3, columnspacing=1.0, handletextpad=0.3)
    return figure
