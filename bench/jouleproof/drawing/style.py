"""Common style of all figures: sizes, fonts, and colours that mean one thing within a study.

In the MX study a colour is a format, or a training recipe that mixes formats; the legend of a figure says what a shape
means.
"""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import matplotlib as mpl
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator, ScalarFormatter

from jouleproof.drawing import palette as hue
from jouleproof.files import atomic, write_text

WIDTH, HEIGHT = 6.6, 3.0  # inches; the width of the paper's text
NOTE_LETTERS = 115  # that fit into it at 7 points
BARS: Mapping[str, Any] = {  # for seaborn's bar plots, which draw only intervals of this project
    "saturation": 1,
    "width": 0.8,
    "gap": 0.06,
    "lw": 0,
    "err_kws": {"color": "black", "lw": 0.9},
}
Styles = Mapping[str, tuple[str, str, str]]  # label, colour, marker, by name
Look = Mapping[str, Any]  # keywords of a line or mark: color, marker, label

FORMAT_STYLES = {  # label, colour, marker
    "float32": ("float32", hue.INK, "o"),
    "mxint8": ("MXINT8", hue.BLACK, "s"),
    "mxfp8_e4m3": ("MXFP8 E4M3", hue.BLUE, "o"),
    "mxfp8_e5m2": ("MXFP8 E5M2", hue.SKY, "D"),
    "mxfp6_e2m3": ("MXFP6 E2M3", hue.GREEN, "^"),
    "mxfp6_e3m2": ("MXFP6 E3M2", hue.PURPLE, "v"),
    "mxfp4": ("MXFP4", hue.VERMILION, "P"),
}
BFLOAT16 = ("bfloat16", hue.SILVER, "X")
OTHER_FORMAT_LABELS = {  # of units in silicon
    "bfloat16": "BF16",
    "float16": "FP16",
    "fp8_e4m3": "FP8 E4M3",
    "fp8_e5m2": "FP8 E5M2",
    "int8": "INT8",
    "nvfp4": "NVFP4",
}
OTHER_COLOURS = (hue.BROWN, hue.OLIVE, hue.CYAN, hue.VIOLET)
NOT_OCP_MX: Mapping[str, Any] = {"color": hue.INK, "marker": "s", "fillstyle": "none"}  # formats other than the six
BELOW: Mapping[str, Any] = {"fontsize": 6.5, "loc": "upper left", "bbox_to_anchor": (0, -0.18)}  # a legend
LIBRARY_MARKERS = {"jouleproof": "o", "torchao": "s", "ml_dtypes": "^", "gfloat": "D"}
RECIPE_STYLES = {  # label, colour, marker; a recipe with one format looks like that format
    "float32": FORMAT_STYLES["float32"],
    "bfloat16": BFLOAT16,
    "mxfp8": ("MXFP8", *FORMAT_STYLES["mxfp8_e4m3"][1:]),
    "mxfp6": ("MXFP6", *FORMAT_STYLES["mxfp6_e3m2"][1:]),
    "mxfp4_weights": ("MXFP4 weights, MXFP6", hue.ORANGE, "h"),
    "mxfp4": FORMAT_STYLES["mxfp4"],
    "mxfp4_stochastic": ("MXFP4, stochastic", hue.LAVENDER, "d"),
    "mxfp4_hadamard": ("MXFP4, stochastic, rotated", hue.WINE, "p"),
}
CAST_CLAIMS = {  # on a direct cast, by format
    "mxint8": "mx.inference.mxint8",
    "mxfp8_e4m3": "mx.inference.mxfp8",
    "mxfp6_e2m3": "mx.inference.mxfp6",
    "mxfp6_e3m2": "mx.inference.mxfp6",
    "mxfp4": "mx.inference.mxfp4",
}
HEADLINES = {  # labels of the published ratios, by the name of their claim
    "same_power_and_cost": "same power and cost, over A100",
    "aa_over_a100": "AA over A100",
    "lower_cost": "at 20 % lower cost, over H100",
    "aa_over_h100_same_cost": "AA over H100, same cost",
    "ha_over_h100": "HA over H100",
    "lower_power": "at 15 % lower power, over H100",
    "hhcap_power": "power of HHcap, over H100's",
    "aa_cost": "cost of AA, over H100's",
}
DISTRIBUTIONS = {"gaussian": "Gaussian", "laplace": "Laplace", "student_t": "Student-t"}  # of generated vectors
LEDGER_TOKEN_BYTES = 4  # a token of the ledger, in bytes of the small transformers' text
DESIGN_STYLES = {  # label, colour, marker
    "baseline_a100": ("Baseline-A100", hue.SILVER, "o"),
    "baseline_h100": ("Baseline-H100", hue.INK, "s"),
    "splitwise_aa": ("Splitwise-AA", hue.ORANGE, "^"),
    "splitwise_hh": ("Splitwise-HH", hue.BLUE, "D"),
    "splitwise_ha": ("Splitwise-HA", hue.GREEN, "v"),
    "splitwise_hhcap": ("Splitwise-HHcap", hue.PURPLE, "P"),
}
DESIGN_LABELS = {name: label for name, (label, *_) in DESIGN_STYLES.items()}
MODE_STYLES = {  # ways of sharing the two phases: colour, label
    "mixed": (hue.INK, "mixed, whole prompts first"),
    "chunked": (hue.VERMILION, "mixed, prompts in chunks"),
    "split": (hue.BLUE, "split"),
}
WAY_STYLES = {  # ways of serving that the source did not compare: colour, label
    "together": (hue.INK, "whole prompts first"),
    "chunked": (hue.VERMILION, "prompts in chunks"),
    "split": (hue.BLUE, "split"),
    "balanced": (hue.SKY, "split, pools follow the load"),
}
ARRIVAL_LABELS = {"poisson": "Poisson", "hour": "real hour"}
ACCELERATOR_LABELS = {"dgx-h100": "H100", "dgx-h200": "H200", "dgx-b200": "B200", "gb200-nvl72-ninth": "GB200"}
MACHINE_STYLES = {"a100-80gb": ("A100", hue.ORANGE, "^"), "h100-80gb": ("H100", hue.BLUE, "D")}  # label, colour, marker
VERSION_STYLES = {"published": (hue.SILVER, "o"), "corrected": (hue.BLUE, "D")}  # colour, marker
SERVICE_LABELS = {"conv": "conversation", "code": "coding"}
INFORMATION_STYLES = {  # workload profiles that a placement policy uses: colour, marker, label
    "nameplate": (hue.SILVER, "s", "nameplate"),
    "mean": (hue.ORANGE, "o", "mean"),
    "p99": (hue.VERMILION, "^", "99th percentile"),
    "phases": (hue.PURPLE, "P", "levels of two phases"),
    "windows6": (hue.SKY, "v", "6 windows a day"),
    "slots24": (hue.BLUE, "D", "24 hours of a day"),
    "spread24": (hue.INDIGO, "X", "24 hours, mean + 2 deviations"),
    "slots168": (hue.GREEN, "h", "168 hours of a week"),
    "oracle": (hue.BLACK, "*", "the coming week itself"),
}
RULE_LABELS = {
    "random": "any place",
    "best_fit": "best fit",
    "spread": "spread",
    "asynchrony": "asynchrony",
}
RELEASE_LABELS = {  # of telemetry
    "nothing": "nothing",
    "sums": "sums of all",
    "mean": "mean",
    "p99": "99th percentile",
    "windows6": "6 windows a day",
    "slots24": "24 hours",
    "coarse24": "24 hours, to 1 kW",
    "slots168": "168 hours",
    "histogram": "histogram",
    "raw": "every reading",
    "private1_e8": "mean, ε 8",
    "private1_e1": "mean, ε 1",
    "private1_e05": "mean, ε 0.5",
    "private6_e8": "6 windows, ε 8",
    "private24_e8": "24 hours, ε 8",
}
ROW_STYLES = (
    (hue.VERMILION, "^"),
    (hue.BLUE, "D"),
    (hue.INK, "s"),
    (hue.GREEN, "o"),
)  # rows of servers: colour, marker
SENSOR_STYLES = {  # colour, marker, label
    "ideal": (hue.INK, "", "ideal, on the die, every 2 s"),
    "nvml": (hue.BLUE, "", "NVML"),
    "nvml_part_time": (hue.SKY, "", "NVML, part time"),
    "rapl": (hue.GREEN, "", "RAPL"),
    "ipmi": (hue.PURPLE, "o", "IPMI"),
    "redfish": (hue.ORANGE, "s", "Redfish"),
    "five_minutes": (hue.VERMILION, "D", "means of 5 min"),
}
TIER_MARKS = {"measured": "●", "simulated": "▲", "cited": "○"}
SHAPE_LABELS = {"smollm2_135m": "SmolLM2-135M", "smollm2_360m": "SmolLM2-360M"}

VERDICT_STYLES = {  # glyph, face, text
    "reproduced": ("✓", hue.PINE, "white"),
    "partly": ("~", hue.AQUA, "black"),
    "inconclusive": ("?", hue.SAND, "black"),
    "not reproduced": ("✗", hue.RUST, "white"),
    "cited": ("“", hue.STEEL, "black"),
    "not testable here": ("–", hue.ASH, "black"),
    "not yet run": ("", hue.FOG, hue.SLATE),
}


@contextmanager
def project_style() -> Iterator[None]:
    """Apply the project's style, with output to files only; at the end, close all figures and restore the caller's
    settings."""
    mpl.use("agg")
    with mpl.rc_context():
        use_style()
        try:
            yield
        finally:
            plt.close("all")


def use_style() -> None:
    """Set everything that a matplotlibrc can set, so that a figure has the same bytes for every user."""
    mpl.rcdefaults()
    mpl.rcParams.update({"timezone": "UTC", "date.epoch": "1970-01-01T00:00:00"})  # rcdefaults does not reset these two
    sns.set_theme(context="paper", style="ticks", font="DejaVu Sans")
    mpl.rcParams.update(
        {
            "figure.figsize": (WIDTH, HEIGHT),
            "figure.constrained_layout.use": True,
            "font.size": 8,
            "axes.titlesize": 8.5,
            "axes.labelsize": 8,
            "xtick.labelsize": 7.5,
            "ytick.labelsize": 7.5,
            "legend.fontsize": 7.5,
            "legend.frameon": False,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.color": hue.GRID,
            "grid.linewidth": 0.6,
            "lines.linewidth": 1.2,
            "lines.markersize": 4.5,
            "svg.hashsalt": "jouleproof",
            "svg.fonttype": "path",
            "pdf.fonttype": 42,
            "savefig.dpi": 200,
        }
    )


def format_label(name: str) -> str:
    return FORMAT_STYLES.get(name, (name,))[0]


def shape_label(name: str, weights: str) -> str:
    """Label of a model that is timed. weights: "real" or "random"."""
    return SHAPE_LABELS.get(name, name) + (" shape, random weights" if weights == "random" else "")


def ordered_formats(names: Iterable[str]) -> list[str]:
    """The six built-in formats in the order of the labels, then any others by name."""
    return _ordered(names, FORMAT_STYLES)


def format_style(names: Iterable[str]) -> dict[str, Look]:
    """Colour and marker of each format; custom formats take the spare ones in order."""
    looks = _styles(names, FORMAT_STYLES, {"bfloat16": BFLOAT16})
    return {name: {"color": look["color"], "marker": look["marker"]} for name, look in looks.items()}


def design_style(names: Iterable[str]) -> dict[str, Look]:
    """Colour, marker and label of each cluster design, in the order of the table; others after them, by name."""
    return _styles(names, DESIGN_STYLES)


def recipe_style(names: Iterable[str]) -> dict[str, Look]:
    """Colour, marker and label of each training recipe, in the order of the table; others after them, by name."""
    return _styles(names, RECIPE_STYLES)


def information_style(names: Iterable[str]) -> dict[str, Look]:
    """Colour, marker and label of the workload profiles that a placement policy uses, in the order of the names."""
    looks: dict[str, Look] = {}
    for number, name in enumerate(dict.fromkeys(names)):
        other = (OTHER_COLOURS[number % len(OTHER_COLOURS)], "o", name)
        looks[name] = dict(zip(("color", "marker", "label"), INFORMATION_STYLES.get(name, other), strict=True))
    return looks


def _styles(names: Iterable[str], styles: Styles, unordered: Styles = MappingProxyType({})) -> dict[str, Look]:
    """Colour, marker and label of each name in the order of the table; others follow by name, with their look in
    `unordered`, or else a spare colour and a star."""
    spare = iter(OTHER_COLOURS * 10)
    looks: dict[str, Look] = {}
    for name in _ordered(names, styles):
        label, colour, marker = styles.get(name) or unordered.get(name) or (name, next(spare), "*")
        looks[name] = {"color": colour, "marker": marker, "label": label}
    return looks


def _ordered(names: Iterable[str], styles: Styles) -> list[str]:
    present = set(names)
    return [name for name in styles if name in present] + sorted(present - set(styles))


def key(label: str, **look: Any) -> Line2D:
    """Legend entry: a mark if `look` has a marker and no line (`ls`, `lw`), otherwise a line."""
    mark_alone: Look = {"lw": 0} if "marker" in look and not {"ls", "lw"} & set(look) else {}
    return Line2D([], [], label=label, **mark_alone, **look)


def name_rows(axis: Axes, names: Sequence[str], margin: float = 0.5, **text: Any) -> None:
    """Name the rows 0, 1, … of a figure, the first on top. margin: above and below, in rows."""
    axis.set_yticks(range(len(names)), names, **text)
    axis.set_ylim(len(names) - 1 + margin, -margin)


def plain_ticks(line: Axis, values: Iterable[float]) -> None:
    """Set ticks only at these values, written as plain numbers; the axis may be logarithmic."""
    ticks = sorted(set(values))
    line.set_ticks(ticks, labels=[f"{tick:,g}" for tick in ticks])
    line.set_minor_locator(NullLocator())


def plain_log(line: Axis) -> None:
    """Make an axis logarithmic, with ticks at 1, 2 and 5 of every decade that are written without powers."""
    way = "x" if line is line.axes.xaxis else "y"
    line.axes.set(**{f"{way}scale": "log"})
    line.set_major_locator(LogLocator(subs=(1, 2, 5)))
    line.set_major_formatter(ScalarFormatter())
    line.set_minor_formatter(NullFormatter())


def footnote(figure: Figure, tiers: Iterable[str], stand_ins: Iterable[str]) -> None:
    """Write the tier of the evidence and the inputs that are stand-ins below the figure."""
    notes = [f"{TIER_MARKS[tier]} {tier}" for tier in TIER_MARKS if tier in set(tiers)]
    missing = sorted(set(stand_ins))
    if missing:
        notes.append(f"stand-in used for: {', '.join(missing)}")
    colour = hue.RUST if missing else hue.SLATE
    figure.supxlabel(wrapped("   ".join(notes)), x=0.005, ha="left", fontsize=7, color=colour)


def wrapped(note: str) -> str:
    """Break a note below a figure into lines of the figure's width."""
    return textwrap.fill(note, NOTE_LETTERS, break_long_words=False, break_on_hyphens=False)


def save(figure: Figure, stem: Path, caption: str) -> None:
    """Write PDF, SVG and PNG without dates, and the caption, each file atomically."""
    metadata = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {"Software": None}}
    for suffix, without_date in metadata.items():
        with atomic(stem.with_name(f"{stem.name}.{suffix}")) as temporary:
            figure.savefig(temporary, format=suffix, metadata=without_date)
    save_caption(stem, caption)


def save_caption(stem: Path, caption: str) -> None:
    """Write the caption of a figure or a table as <stem>.rst, from which the report takes it."""
    write_text(stem.with_name(f"{stem.name}.rst"), f"{caption}\n")
