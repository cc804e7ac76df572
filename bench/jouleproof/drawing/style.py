"""One look for all figures: sizes, fonts, and colours that mean one thing within a study.

In the study of MX a colour is a format, or a training recipe that mixes formats; what a shape means stands in a
figure's legend.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
import seaborn as sns
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


def use_style() -> None:
    """Set matplotlib's defaults; the same bytes come out for the same table."""
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
    """Of a model that is timed. weights: "real" or "random"."""
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
    """For a legend."""
    return Rectangle((0, 0), 1, 1, facecolor=ACCEPTED_COLOUR, lw=0, label="accepted range of a claim")


def footnote(figure: Figure, tiers: Iterable[str], stand_ins: Iterable[str]) -> None:
    """The tier of the evidence, and which inputs were stood in for, below the picture."""
    parts = [f"{TIER_MARKS[tier]} {tier}" for tier in TIER_MARKS if tier in set(tiers)]
    missing = sorted(set(stand_ins))
    if missing:
        parts.append(f"stand-in used for: {', '.join(missing)}")
    figure.supxlabel("   ".join(parts), x=0.005, ha="left", fontsize=7, color="#A63C06" if missing else "#555555")


def save(figure: Figure, stem: Path) -> Mapping[str, Path]:
    """PDF, SVG and PNG without dates, each atomically. Returns the paths by suffix."""
    metadata = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {"Software": None}}
    paths = {suffix: stem.with_name(f"{stem.name}.{suffix}") for suffix in metadata}
    for suffix, path in paths.items():
        with atomic(path) as temporary:
            figure.savefig(temporary, format=suffix, metadata=metadata[suffix])
    return paths
