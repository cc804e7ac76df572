"""One look for all figures: sizes, fonts, and colours that mean one thing within a study.

In the study of MX a colour is a format, or a training recipe that mixes formats; what a shape means stands in a
figure's legend.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from jouleproof.files import atomic

WIDTH, HEIGHT = 6.6, 3.0  # inches; the width of the paper's text

FORMAT_LABELS = {
    "float32": "float32",
    "mxint8": "MXINT8",
    "mxfp8_e4m3": "MXFP8 E4M3",
    "mxfp8_e5m2": "MXFP8 E5M2",
    "mxfp6_e2m3": "MXFP6 E2M3",
    "mxfp6_e3m2": "MXFP6 E3M2",
    "mxfp4": "MXFP4",
}
OTHER_FORMAT_LABELS = {  # of units in silicon
    "bfloat16": "BF16",
    "float16": "FP16",
    "fp8_e4m3": "FP8 E4M3",
    "fp8_e5m2": "FP8 E5M2",
    "int8": "INT8",
    "nvfp4": "NVFP4",
}
FORMAT_COLOURS = {
    "mxint8": "#000000",
    "mxfp8_e4m3": "#0072B2",
    "mxfp8_e5m2": "#56B4E9",
    "mxfp6_e2m3": "#009E73",
    "mxfp6_e3m2": "#CC79A7",
    "mxfp4": "#D55E00",
}
FORMAT_MARKERS = {
    "mxint8": "s",
    "mxfp8_e4m3": "o",
    "mxfp8_e5m2": "D",
    "mxfp6_e2m3": "^",
    "mxfp6_e3m2": "v",
    "mxfp4": "P",
}
PLAIN_STYLES = {"float32": ("#444444", "o"), "bfloat16": ("#9A9A9A", "X")}  # colour, marker
OTHER_COLOURS = ("#8C564B", "#BCBD22", "#17BECF", "#6A3D9A")
NOT_OCP_MX: Mapping[str, Any] = {"color": "#444444", "marker": "s", "fillstyle": "none"}  # formats beside the six
LIBRARY_MARKERS = {"jouleproof": "o", "torchao": "s", "ml_dtypes": "^", "gfloat": "D"}
RECIPE_LABELS = {
    "float32": "float32",
    "bfloat16": "bfloat16",
    "mxfp8": "MXFP8",
    "mxfp6": "MXFP6",
    "mxfp4_weights": "MXFP4 weights, MXFP6",
    "mxfp4": "MXFP4",
    "mxfp4_stochastic": "MXFP4, stochastic",
    "mxfp4_hadamard": "MXFP4, stochastic, rotated",
}
RECIPE_STYLES = {  # colour, marker; a recipe of one format looks like that format, and no other looks like a format
    **PLAIN_STYLES,
    "mxfp8": (FORMAT_COLOURS["mxfp8_e4m3"], FORMAT_MARKERS["mxfp8_e4m3"]),
    "mxfp6": (FORMAT_COLOURS["mxfp6_e3m2"], FORMAT_MARKERS["mxfp6_e3m2"]),
    "mxfp4_weights": ("#E69F00", "h"),
    "mxfp4": (FORMAT_COLOURS["mxfp4"], FORMAT_MARKERS["mxfp4"]),
    "mxfp4_stochastic": ("#9467BD", "d"),
    "mxfp4_hadamard": ("#7A1F3D", "p"),
}
ACCEPTED: Mapping[str, tuple[float | None, float | None]] = {  # the ledger's ranges, as figures show them
    "mx.fetches.matvec_mxfp8": (1.2, None),
    "mx.fetches.matvec_mxfp4": (1.2, None),
    "mx.fetches.decode": (1.2, None),
    "mx.wire.allreduce": (1.5, None),
    "mx.wire.kv_cache": (1.5, None),
    "mx.wire.cost": (0.0, 0.55),
    "mx.inference.mxint8": (None, 0.01),
    "mx.inference.mxfp8": (None, 0.05),
    "mx.inference.mxfp6": (None, 0.05),
    "mx.inference.mxfp4": (None, 0.05),
    "mx.training.mxfp6": (None, 0.04),
    "mx.training.mxfp4_weights": (None, 0.08),
    "mx.training.time": (2.0, None),
    "mx.silicon.area": (1.5, None),
    "phase_split.prompt_compute_bound": (0.5, None),
    "phase_split.token_memory_bound": (0.5, None),
    "placement.precision": (0.0, 0.95),
    "placement.profile_over_mean": (1.03, None),
    "placement.rule": (1.03, None),
    "placement.margin_transfer": (0.0, 3.0),
    "placement.prediction": (1.03, None),
    "placement.confidential": (0.0, 0.05),
    "placement.polca": (0.27, None),
    "placement.processors_and_storage": (0.0, 0.97),
    "placement.power_is_not_energy": (-0.02, 0.02),
    "slm_energy.law": (0.7, 1.1),
    "slm_energy.moe": (0.9, 1.0),
    "joint.parts_add_up": (0.0, 0.5),
    "joint.levers_multiply": (0.9, 1.1),
}
ACCEPTED_COLOUR = "#DDEBE6"
CAST_CLAIMS = {  # on a direct cast, by format
    "mxint8": "mx.inference.mxint8",
    "mxfp8_e4m3": "mx.inference.mxfp8",
    "mxfp6_e2m3": "mx.inference.mxfp6",
    "mxfp6_e3m2": "mx.inference.mxfp6",
    "mxfp4": "mx.inference.mxfp4",
}
HEADLINES: Mapping[str, tuple[str, float, float, float]] = {  # label, stated, and the ledger's range
    "same_power_and_cost": ("same power and cost, over A100", 2.35, 2.115, 2.585),
    "aa_over_a100": ("AA over A100", 2.15, 1.935, 2.365),
    "lower_cost": ("at 20 % lower cost, over H100", 1.4, 1.26, 1.54),
    "aa_over_h100_same_cost": ("AA over H100, same cost", 1.4, 1.26, 1.54),
    "ha_over_h100": ("HA over H100", 1.18, 1.062, 1.298),
    "lower_power": ("at 15 % lower power, over H100", 1.76, 1.584, 1.936),
    "hhcap_power": ("power of HHcap, over H100's", 0.75, 0.675, 0.825),
    "aa_cost": ("cost of AA, over H100's", 0.75, 0.675, 0.825),
}
LEDGER_TOKEN_BYTES = 4  # a token of the ledger, in bytes of the small transformers' text
DESIGN_LABELS = {
    "baseline_a100": "Baseline-A100",
    "baseline_h100": "Baseline-H100",
    "splitwise_aa": "Splitwise-AA",
    "splitwise_hh": "Splitwise-HH",
    "splitwise_ha": "Splitwise-HA",
    "splitwise_hhcap": "Splitwise-HHcap",
}
DESIGN_STYLES = {  # colour, marker
    "baseline_a100": ("#9A9A9A", "o"),
    "baseline_h100": ("#444444", "s"),
    "splitwise_aa": ("#E69F00", "^"),
    "splitwise_hh": ("#0072B2", "D"),
    "splitwise_ha": ("#009E73", "v"),
    "splitwise_hhcap": ("#CC79A7", "P"),
}
MODE_STYLES = {  # ways of sharing the two phases: colour, label
    "mixed": ("#444444", "mixed, whole prompts first"),
    "chunked": ("#D55E00", "mixed, prompts in chunks"),
    "split": ("#0072B2", "split"),
}
WAY_STYLES = {  # ways of serving that the source did not compare: colour, label
    "together": ("#444444", "whole prompts first"),
    "chunked": ("#D55E00", "prompts in chunks"),
    "split": ("#0072B2", "split"),
    "balanced": ("#56B4E9", "split, pools follow the load"),
}
ARRIVAL_LABELS = {"poisson": "Poisson", "hour": "real hour"}
ACCELERATOR_LABELS = {"dgx-h100": "H100", "dgx-h200": "H200", "dgx-b200": "B200", "gb200-nvl72-ninth": "GB200"}
MACHINE_STYLES = {"a100-80gb": ("A100", "#E69F00", "^"), "h100-80gb": ("H100", "#0072B2", "D")}  # label, colour, marker
VERSION_STYLES = {"published": ("#9A9A9A", "o"), "corrected": ("#0072B2", "D")}  # colour, marker
SERVICE_LABELS = {"conv": "conversation", "code": "coding"}
INFORMATION_STYLES = {  # what a placement policy is told: colour, marker, label
    "nameplate": ("#9A9A9A", "s", "nameplate"),
    "mean": ("#E69F00", "o", "mean"),
    "p99": ("#D55E00", "^", "99th percentile"),
    "phases": ("#CC79A7", "P", "levels of two phases"),
    "windows6": ("#56B4E9", "v", "6 windows a day"),
    "slots24": ("#0072B2", "D", "24 hours of a day"),
    "spread24": ("#332288", "X", "24 hours, mean + 2 deviations"),
    "slots168": ("#009E73", "h", "168 hours of a week"),
    "oracle": ("#000000", "*", "the coming week itself"),
}
RULE_LABELS = {
    "random": "any place", "best_fit": "best fit", "spread": "spread", "asynchrony": "asynchrony",
}  # fmt: skip
RELEASE_LABELS = {  # of telemetry
    "nothing": "nothing", "sums": "sums of all", "mean": "mean", "p99": "99th percentile",
    "windows6": "6 windows a day", "slots24": "24 hours", "coarse24": "24 hours, to 1 kW", "slots168": "168 hours",
    "histogram": "histogram", "raw": "every reading", "private1_e8": "mean, ε 8", "private1_e1": "mean, ε 1",
    "private1_e05": "mean, ε 0.5", "private6_e8": "6 windows, ε 8", "private24_e8": "24 hours, ε 8",
}  # fmt: skip
ROW_STYLES = (("#D55E00", "^"), ("#0072B2", "D"), ("#444444", "s"), ("#009E73", "o"))  # rows of servers: colour, marker
SENSOR_STYLES = {  # colour, marker, label
    "ideal": ("#444444", "", "ideal, on the die, every 2 s"),
    "nvml": ("#0072B2", "", "NVML"),
    "nvml_part_time": ("#56B4E9", "", "NVML, part time"),
    "rapl": ("#009E73", "", "RAPL"),
    "ipmi": ("#CC79A7", "o", "IPMI"),
    "redfish": ("#E69F00", "s", "Redfish"),
    "five_minutes": ("#D55E00", "D", "means of 5 min"),
}
TIER_MARKS = {"measured": "●", "simulated": "▲", "cited": "○"}
SHAPE_LABELS = {"smollm2_135m": "SmolLM2-135M", "smollm2_360m": "SmolLM2-360M"}

VERDICT_STYLES = {  # glyph, face, text
    "reproduced": ("✓", "#0F6B57", "white"),
    "partly": ("~", "#7CC0A8", "black"),
    "inconclusive": ("?", "#E9C46A", "black"),
    "not reproduced": ("✗", "#A63C06", "white"),
    "cited": ("“", "#9DB4C8", "black"),
    "not testable here": ("–", "#C9C9C9", "black"),
    "not yet run": ("", "#F2F2F2", "#6A6A6A"),
}


@contextmanager
def project_style() -> Iterator[None]:
    """The project's look, in files alone; at the end all pictures are closed and the caller's settings are back."""
    mpl.use("agg")
    with mpl.rc_context():
        use_style()
        try:
            yield
        finally:
            plt.close("all")


def use_style() -> None:
    """Set all that a matplotlibrc can set: the same bytes come out for the same table, whoever draws it."""
    mpl.rcdefaults()
    mpl.rcParams.update({"timezone": "UTC", "date.epoch": "1970-01-01T00:00:00"})  # rcdefaults leaves these two
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
            "grid.color": "#E3E3E3",
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
    return FORMAT_LABELS.get(name, name)


def shape_label(name: str, weights: str) -> str:
    """The label of a model that is timed. weights: "real" or "random"."""
    return SHAPE_LABELS.get(name, name) + (" shape, random weights" if weights == "random" else "")


def ordered_formats(names: Iterable[str]) -> list[str]:
    """The six in the order of the labels, then any others by name."""
    present = set(names)
    return [name for name in FORMAT_LABELS if name in present] + sorted(present - set(FORMAT_LABELS))


def format_style(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Colour and marker of each format; formats that are not built in take the spare ones in order."""
    spare = iter(OTHER_COLOURS * 10)
    looks = {
        name: (FORMAT_COLOURS[name], FORMAT_MARKERS[name])
        if name in FORMAT_COLOURS
        else PLAIN_STYLES.get(name) or (next(spare), "*")
        for name in ordered_formats(names)
    }
    return {name: {"color": colour, "marker": marker} for name, (colour, marker) in looks.items()}


def design_style(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Colour, marker and label of each cluster design, in the order of the labels; others after them, by name."""
    present = set(names)
    ordered = [name for name in DESIGN_LABELS if name in present] + sorted(present - set(DESIGN_LABELS))
    spare = iter(OTHER_COLOURS * 10)
    looks = {name: DESIGN_STYLES.get(name) or (next(spare), "*") for name in ordered}
    return {
        name: {"color": colour, "marker": marker, "label": DESIGN_LABELS.get(name, name)}
        for name, (colour, marker) in looks.items()
    }


def recipe_style(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Colour, marker and label of each training recipe, in the order of the labels; others after them, by name."""
    present = set(names)
    ordered = [name for name in RECIPE_LABELS if name in present] + sorted(present - set(RECIPE_LABELS))
    spare = iter(OTHER_COLOURS * 10)
    looks = {name: RECIPE_STYLES.get(name) or (next(spare), "*") for name in ordered}
    return {
        name: {"color": colour, "marker": marker, "label": RECIPE_LABELS.get(name, name)}
        for name, (colour, marker) in looks.items()
    }


def accepted(
    axis: Axes, claim: str, across: tuple[float, float], way: Literal["x", "y"] = "x", over: float = 1.0
) -> None:
    """A pale band where the ledger accepts a claim, behind the points that are drawn already; the view stays.

    across: from where to where the band reaches, along the other axis. over: the ledger's unit in units of this axis.
    """
    limits = axis.get_xlim() if way == "x" else axis.get_ylim()
    low, high = (end if bound is None else bound / over for bound, end in zip(ACCEPTED[claim], limits, strict=True))
    size = (high - low, across[1] - across[0])
    corner = (low, across[0])
    if way == "y":
        corner, size = corner[::-1], size[::-1]
    axis.add_artist(Rectangle(corner, *size, facecolor=ACCEPTED_COLOUR, lw=0, zorder=0))


def accepted_handle() -> Rectangle:
    """The entry of that band in a legend."""
    return Rectangle((0, 0), 1, 1, facecolor=ACCEPTED_COLOUR, lw=0, label="accepted range of a claim")


def footnote(figure: Figure, tiers: Iterable[str], stand_ins: Iterable[str]) -> None:
    """The tier of the evidence, and which inputs were stood in for, below the picture."""
    parts = [f"{TIER_MARKS[tier]} {tier}" for tier in TIER_MARKS if tier in set(tiers)]
    missing = sorted(set(stand_ins))
    if missing:
        parts.append(f"stand-in used for: {', '.join(missing)}")
    figure.supxlabel("   ".join(parts), x=0.005, ha="left", fontsize=7, color="#A63C06" if missing else "#555555")


def save(figure: Figure, stem: Path) -> Mapping[str, Path]:
    """Write PDF, SVG and PNG without dates, each atomically. Returns the paths by suffix."""
    metadata = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {"Software": None}}
    paths = {suffix: stem.with_name(f"{stem.name}.{suffix}") for suffix in metadata}
    for suffix, path in paths.items():
        with atomic(path) as temporary:
            figure.savefig(temporary, format=suffix, metadata=metadata[suffix])
    return paths
