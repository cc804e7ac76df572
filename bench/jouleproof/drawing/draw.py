"""Draw figures and tables from their results into files, several in one process."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib import pyplot as plt

from jouleproof.drawing import style, tables
from jouleproof.drawing.registry import Figure, load
from jouleproof.errors import UserError, contained
from jouleproof.evidence import tables as results_of
from jouleproof.evidence.provenance import origins_of, stand_ins_in


def draw_all(names: Iterable[str], figures: Mapping[str, Figure], results: Path) -> None:
    """Write results/figures/<name>.{pdf,svg,png} or results/tables/<name>.{csv,tex,html}, and the caption next to them
    as <name>.rst, each file atomically.

    The output does not depend on the order of the names, nor on the user's matplotlibrc. Raises UserError.
    """
    chosen = list(dict.fromkeys(names))
    if unknown := [name for name in chosen if name not in figures]:
        raise UserError(f"figures: unknown figure {unknown[0]!r}; known: {', '.join(figures) or 'none'}")
    read = cache(results_of.read)
    with style.project_style():
        for name in chosen:
            paths = [results / f"{source}.parquet" for source in figures[name].sources]
            sources = [read(path).copy() for path in paths]
            # settings of a figure do not affect the next one
            with contained(f"figures: {figures[name].path}"), mpl.rc_context():
                _draw(figures[name], sources, stand_ins_in(origins_of(paths)), results)


def _draw(figure: Figure, sources: list[pd.DataFrame], stand_ins: list[str], results: Path) -> None:
    module = load(figure)
    tiers = sorted({tier for table in sources for tier in table["tier"]})
    stem = results / f"{figure.kind}s" / figure.name
    if figure.kind == "table":
        note = "; ".join([*tiers, *(f"stand-in used for {input_id}" for input_id in stand_ins)])
        tables.save(module.tabulate(*sources), stem, figure.title, figure.caption, note)
    else:
        picture = module.draw(*sources)
        style.footnote(picture, tiers, stand_ins)
        style.save(picture, stem, figure.caption)
        plt.close("all")
