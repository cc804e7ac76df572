"""Run a notebook that is kept as text (jupytext): `python workflows/notebooks/run.py FILE.py --out FILE.ipynb`."""

import importlib.util
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from jouleproof.errors import UserError, one_line_errors
from jouleproof.files import write_text

NEEDED = ("jupytext", "nbclient", "ipykernel", "nbformat", "traitlets")


def run(
    source: Path,
    out: Annotated[Path, typer.Option(help="The executed notebook.")],
    results: Annotated[Path, typer.Option(help="Folder of the tables.")] = Path("results"),
) -> None:
    """Run the notebook in the working folder. Cells get numbers instead of random ids, and times are not recorded."""
    with one_line_errors():
        absent = [name for name in NEEDED if importlib.util.find_spec(name) is None]
        if absent:
            raise UserError(
                f"notebooks: {', '.join(absent)} not installed; run: python workflows/lock.py install notebooks"
            )
        import jupytext
        import nbformat
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError
        from traitlets.config import Config

        os.environ["JOULEPROOF_RESULTS"] = str(results.resolve())  # the notebook reads tables there
        os.environ.pop("MPLBACKEND", None)  # the kernel then shows figures in the notebook
        notebook = jupytext.read(source, fmt="py:percent")
        for number, cell in enumerate(notebook.cells):
            cell["id"] = f"cell-{number}"
        try:
            with TemporaryDirectory() as folder:  # sockets in a temporary folder instead of ports
                transport = {"transport": "ipc", "connection_file": f"{folder}/kernel.json"}
                config = Config({"KernelManager": transport})
                NotebookClient(notebook, timeout=600, record_timing=False, config=config).execute()
        except CellExecutionError as error:
            raise UserError(f"notebooks: {source}: {error.ename}: {' '.join(error.evalue.split())}") from error
        write_text(out, nbformat.writes(notebook) + "\n")


if __name__ == "__main__":
    typer.run(run)
