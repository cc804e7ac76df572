"""Typeset the paper, or its appendix, from results/ into one PDF, in the fonts that Typst brings along and undated."""

import json
from pathlib import Path
from typing import Annotated

import typer
import typst

from jouleproof.drawing.registry import registry
from jouleproof.errors import UserError, one_line_errors
from jouleproof.files import atomic

ROOT = Path(__file__).resolve().parent.parent


def build(
    out: Annotated[Path, typer.Option(help="The PDF.")],
    source: Annotated[Path, typer.Option(help="What is typeset.")] = ROOT / "paper" / "paper.typ",
    own: Annotated[list[str], typer.Option(help="A study of your own, as its package.")] = [],  # noqa: B006
) -> None:
    """Results lie in the folder of `out`, which must be inside the project."""
    with one_line_errors():
        pictures = registry(tuple(own))
        added = [vars(figure) for name, figure in pictures.items() if name not in registry()]
        captions = {name: figure.caption for name, figure in pictures.items()}
        results = "/" + out.resolve().parent.relative_to(ROOT).as_posix()
        try:
            pdf = typst.compile(
                str(source),
                root=str(ROOT),
                sys_inputs={"results": results, "own": json.dumps(added), "captions": json.dumps(captions)},
                ignore_system_fonts=True,
                timestamp=0,
            )
        except typst.TypstError as error:
            raise UserError(f"{source.name}: {error.message}") from error
        with atomic(out) as temporary:
            temporary.write_bytes(pdf)


if __name__ == "__main__":
    typer.run(build)
