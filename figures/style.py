"""One look for all figures: sizes, fonts, and colours that mean the same thing everywhere."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import matplotlib as mpl
import seaborn as sns
from matplotlib.figure import Figure

from bench.files import atomic

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
OTHER_COLOURS = ("#7F7F7F", "#8C564B", "#BCBD22", "#9467BD")
LIBRARY_STYLES = {  # colour, marker
    "jouleproof": ("#0072B2", "o"),
    "torchao": ("#D55E00", "s"),
    "ml_dtypes": ("#009E73", "^"),
    "gfloat": ("#CC79A7", "D"),
    "torch": ("#444444", "|"),
}
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
RECIPE_STYLES = {  # colour, marker; a recipe of one format looks like that format
    "float32": ("#444444", "o"),
    "bfloat16": ("#9A9A9A", "D"),
    "mxfp8": ("#0072B2", "o"),
    "mxfp6": ("#CC79A7", "v"),
    "mxfp4_weights": ("#009E73", "^"),
    "mxfp4": ("#D55E00", "P"),
    "mxfp4_stochastic": ("#E69F00", "X"),
    "mxfp4_hadamard": ("#8C564B", "s"),
}
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
VERSION_STYLES = {"published": ("#9A9A9A", "o"), "corrected": ("#0072B2", "D")}  # colour, marker
SERVICE_LABELS = {"conv": "conversation", "code": "coding"}
TIER_MARKS = {"measured": "●", "simulated": "▲", "cited": "○"}
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


def ordered_formats(names: Iterable[str]) -> list[str]:
    """The six in the order of the labels, then any others by name."""
    present = set(names)
    return [name for name in FORMAT_LABELS if name in present] + sorted(present - set(FORMAT_LABELS))


def format_style(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Colour and marker of each format; formats that are not built in take the spare ones in order."""
    spare = iter(OTHER_COLOURS * 10)
    return {
        name: {"color": FORMAT_COLOURS.get(name) or next(spare), "marker": FORMAT_MARKERS.get(name, "X")}
        for name in ordered_formats(names)
    }


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
