"""`jouleproof inputs`: list the inputs, resolve one, and convert published files."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from jouleproof.cli.commands import Commands
from jouleproof.errors import Stopped, one_line_errors
from jouleproof.inputs import InputError, Mode, catalogue
from jouleproof.inputs import convert as convert_input
from jouleproof.inputs import entry as entry_of
from jouleproof.inputs import resolve as resolve_input
from jouleproof.paths import home_expanded

app = Commands(no_args_is_help=True, pretty_exceptions_enable=False)


@app.command("list")
def list_inputs() -> None:
    """Print every input: id, size, licence, stand-in, where from."""
    from tabulate import tabulate

    rows = [
        (entry.id, f"{entry.bytes:,} B", entry.licence, entry.stand_in or "-", entry.source)
        for entry in catalogue().values()
    ]
    headers, sides = ("id", "size", "licence", "stand-in", "where from"), ("left", "right", *["left"] * 3)
    print(tabulate(rows, headers, tablefmt="plain", colalign=sides, disable_numparse=True))


@app.command()
def resolve(
    id: Annotated[str, typer.Argument(help="Which input; `list` shows them.")],
    out: Annotated[Path, typer.Option(help="The record to write: ID.json. The files go into a folder ID next to it.")],
    inputs_dir: Annotated[
        str, typer.Option(envvar="JOULEPROOF_INPUTS", help="Folder with real inputs; empty: none.")
    ] = "",
    cache_dir: Annotated[
        str, typer.Option(help="Folder that keeps downloads; empty: jouleproof in the user's cache folder.")
    ] = "",
    mode: Annotated[Mode, typer.Option(help="Use a stand-in if needed, always or never.")] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the stand-in.")] = 0,
) -> None:
    """Find or download one input, or generate its stand-in; write its files and their record."""
    signal.signal(signal.SIGTERM, _stop)
    with one_line_errors():
        entry_of(id)  # report an unknown id first
        if out.name != f"{id}.json":
            raise InputError(f"--out {out}: the record of {id} must be named {id}.json")
        resolve_input(
            id,
            out.parent,
            inputs_dir=home_expanded(Path(inputs_dir)) if inputs_dir else None,
            cache_dir=home_expanded(Path(cache_dir)) if cache_dir else None,
            mode=mode,
            seed=seed,
        )


@app.command()
def convert(
    id: Annotated[str, typer.Argument(help="Which input; `list` shows them.")],
    source: Annotated[Path, typer.Argument(help="The published file, or a folder that holds it at any depth.")],
    inputs_dir: Annotated[
        Path, typer.Option(envvar="JOULEPROOF_INPUTS", help="Folder with real inputs, where the result is put.")
    ],
) -> None:
    """Convert published files to what this project reads; print the file that was written."""
    with one_line_errors():
        print(convert_input(id, source, inputs_dir))


def _stop(number: int, _frame: object) -> NoReturn:
    """Exit by an exception, so that temporary files are removed."""
    raise Stopped(128 + number)
