"""`python -m figures NAME --results FOLDER`: draw one figure or table from its results."""

import importlib
from pathlib import Path
from typing import Annotated, Any

import matplotlib as mpl
import typer

from jouleproof import plugins
from jouleproof.drawing import style, tables
from jouleproof.drawing.registry import registry
from jouleproof.errors import UserError, one_line_errors
from jouleproof.evidence import tables as tables_of
from jouleproof.evidence.provenance import read_provenance

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def make(
    name: Annotated[str, typer.Argument(help="<study>/<figure>")],
    results: Annotated[Path, typer.Option(help="Folder of the studies' tables.")] = Path("results"),
    own: Annotated[list[str], typer.Option(help="A study of your own, as its package.")] = [],  # noqa: B006
) -> None:
    with one_line_errors():
        known = registry(tuple(own))
        if name not in known:
            raise UserError(f"figures: {name!r} is not known; there are: {', '.join(known)}")
        figure = known[name]
        module = _module(figure.module)
        paths = [results / f"{source}.parquet" for source in figure.sources]
        sources = [tables_of.read(path) for path in paths]
        tiers = sorted({tier for table in sources for tier in table["tier"]})
        stand_ins = {
            input_id
            for path in paths
            for input_id, about in read_provenance(path)["inputs"].items()
            if about["origin"] == "stand-in"
        }
        if figure.kind == "table":
            note = "; ".join([*tiers, *(f"stand-in used for {input_id}" for input_id in sorted(stand_ins))])
            tables.save(module.tabulate(*sources), results / "tables" / name, figure.title, figure.caption, note)
            return
        mpl.use("agg")
        style.use_style()
        drawn = module.draw(*sources)
        style.footnote(drawn, tiers, stand_ins)
        style.save(drawn, results / "figures" / name)


def _module(name: str) -> Any:
    if name.startswith("figures."):
        return importlib.import_module(name)
    try:
        return plugins.load_module(name)
    except Exception as error:  # a user's module can break in any way
        raise UserError(f"figures: {name} cannot be loaded: {plugins.reason(error)}") from error


if __name__ == "__main__":
    app()
