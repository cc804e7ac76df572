"""`python -m jouleproof.evidence judge | show | check | accept`."""

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from jouleproof.errors import UserError, one_line_errors
from jouleproof.evidence import expected as accepted
from jouleproof.evidence import show as shown
from jouleproof.evidence.ledger import read_ledger, read_ledgers
from jouleproof.evidence.verdicts import NOT_YET_RUN, read_verdicts, verdicts, write_verdicts
from jouleproof.files import write_text

LEDGER, EXPECTED, README = Path("paper/claims.toml"), Path("paper/expected.toml"), Path("README.md")
RESULTS = Path("results")
VERDICTS, SIZE = RESULTS / "verdicts.json", RESULTS / "verdicts.size.txt"
PICTURE, README_PICTURE = RESULTS / "figures" / "overview.png", Path("paper/overview.png")
README_KEY = ("default", "real")

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.command()
def judge(
    ledger: Annotated[list[Path], typer.Option(help="One or more.")] = [LEDGER],  # noqa: B006
    results: Annotated[Path, typer.Option(help="Folder of the studies' tables.")] = RESULTS,
    out: Annotated[Path, typer.Option()] = VERDICTS,
    size: Annotated[str, typer.Option(help="Name of the config that made the tables.")] = "unnamed",
    note: Annotated[str, typer.Option(help="A limit that every verdict of this config has.")] = "",
) -> None:
    """Ledger and results to verdicts, with the config's size beside them."""
    with one_line_errors():
        write_verdicts(verdicts(read_ledgers(ledger), results, [note] if note else []), out)
        write_text(out.with_name(f"{out.stem}.size.txt"), size + "\n")


@app.command()
def show() -> None:
    """Print the verdict table and where the paper and the report are."""
    with one_line_errors():
        print(shown.terminal(read_verdicts(VERDICTS)))
        for name in ("paper.pdf", "report.html"):
            print(f"{name.partition('.')[0]}: {RESULTS / name}")


@app.command()
def check() -> None:
    """Compare the verdicts with those that were accepted; exit 1 where one moved that should not."""
    with one_line_errors():
        rows = read_verdicts(VERDICTS)
        size, origin = key = accepted.key_of(_size(), rows)
        expected = accepted.read_expected(EXPECTED)
        if key not in expected:
            print(f"check: {EXPECTED} says nothing of config {size} with {origin} inputs; nothing to compare")
            return
        own = {row.id for row in rows} - {claim.id for claim in read_ledger(LEDGER)}
        rows = [row for row in rows if row.id not in own or accepted.name_of(row) in expected[key]]
        comparison = accepted.compare(rows, expected[key])
        for warning in comparison.warnings:
            print(f"check: warning: {warning}", file=sys.stderr)
        if comparison.failures:
            raise UserError("\n".join(f"check: {failure}" for failure in comparison.failures))
        print(f"check: the verdicts of config {size} with {origin} inputs are those of {EXPECTED}")


@app.command()
def accept() -> None:
    """Make this run's verdicts the expected ones, and README's table and picture those of the default config."""
    with one_line_errors():
        rows = read_verdicts(VERDICTS)
        key = accepted.key_of(_size(), rows)
        expected = accepted.read_expected(EXPECTED)
        ran = {accepted.name_of(row): accepted.accepted(row) for row in rows if row.verdict != NOT_YET_RUN}
        accepted.write_expected({**expected, key: ran}, EXPECTED)
        print(f"accept: wrote {EXPECTED} for config {key[0]} with {key[1]} inputs")
        if key == README_KEY:
            table = shown.markdown(read_ledger(LEDGER), ran)
            readme = shown.replace_table(README.read_text(encoding="utf-8"), table)
            write_text(README, shown.replace_result_tables(readme, RESULTS / "tables"))
            shutil.copyfile(PICTURE, README_PICTURE)
            print(f"accept: wrote the tables of {README} and {README_PICTURE}")


def _size() -> str:
    try:
        return SIZE.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UserError(f"claims: {SIZE} cannot be read ({error.strerror}); run `snakemake` first") from error


if __name__ == "__main__":
    app()
