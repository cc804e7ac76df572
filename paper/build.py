"""Typeset the paper, or its appendix, from results/ into one PDF, in the fonts that Typst includes and without a
date."""

import json
from pathlib import Path
from typing import Annotated

import typer
import typst

from jouleproof.drawing import overview
from jouleproof.drawing.registry import Figure, folders_in, registry
from jouleproof.errors import UserError, one_line_errors
from jouleproof.evidence.provenance import origins_of, stand_ins_in
from jouleproof.files import atomic
from jouleproof.study import built_in_studies, find_study

ROOT = Path(__file__).resolve().parent.parent


def build(
    out: Annotated[Path, typer.Option(help="The PDF.")],
    source: Annotated[Path, typer.Option(help="What is typeset.")] = ROOT / "paper" / "paper.typ",
    study: Annotated[list[str], typer.Option(help="The package of a custom study.")] = [],  # noqa: B006
) -> None:
    """Typeset a document. Results are in the folder of `out`."""
    with one_line_errors():
        studies = [*built_in_studies(), *map(find_study, study)]
        added = {one.name: one.figures for one in studies if not one.built_in}
        pictures = registry({**folders_in(ROOT / "figures"), **added})
        shown = [{"name": one.name, "kind": one.kind} for one in pictures.values() if one.study in added]
        captions = {name: figure.caption for name, figure in pictures.items()}
        captions["overview"] = overview.CAPTION
        stand_ins = {name: _stand_ins(figure, out.parent) for name, figure in pictures.items()}
        try:
            pdf = typst.compile(
                str(source.resolve()),
                root="/",
                sys_inputs={
                    "results": str(out.resolve().parent),
                    "own": json.dumps(shown),
                    "captions": json.dumps(captions),
                    "stand_ins": json.dumps(stand_ins),
                    "titles": json.dumps({one.name: one.title for one in studies}),
                },
                ignore_system_fonts=True,
                timestamp=0,
            )
        except typst.TypstError as error:
            raise UserError(f"{source.name}: {error.message}") from error
        with atomic(out) as temporary:
            temporary.write_bytes(pdf)


def _stand_ins(figure: Figure, results: Path) -> list[str]:
    """Ids of the inputs of a figure's tables that are stand-ins."""
    return stand_ins_in(origins_of(results / f"{source}.parquet" for source in figure.sources))


if __name__ == "__main__":
    typer.run(build)
