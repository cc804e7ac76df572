"""`jouleproof claims`: verdicts on the claims of the studies."""

import shutil
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jouleproof.cli.commands import Commands
from jouleproof.errors import UserError, one_line_errors, system_reason
from jouleproof.files import write_text

if TYPE_CHECKING:
    from jouleproof.evidence.expected import Accepted

RESULTS, EXPECTED = Path("results"), Path("paper/expected.toml")
README, VERDICTS, PERFORMANCE = Path("README.md"), Path("docs/verdicts.md"), Path("docs/performance.md")
README_PICTURE = Path("paper/overview.png")
README_KEY = ("default", "real")

app = Commands(no_args_is_help=True, pretty_exceptions_enable=False)
Results = Annotated[Path, typer.Option(help="Folder of a run.")]
Expected = Annotated[Path, typer.Option(help="The accepted verdicts.")]


@app.command()
def judge(
    ledger: Annotated[
        list[Path], typer.Option(help="Claims of a study; by default, those of the built-in studies.")
    ] = [],  # noqa: B006
    results: Results = RESULTS,
    figures: Annotated[Path, typer.Option(help="Folder of the built-in studies' figures.")] = Path("figures"),
    size: Annotated[str, typer.Option(help="Name of the config that made the tables.")] = "unnamed",
    note: Annotated[str, typer.Option(help="A limit of every verdict of this config.")] = "",
) -> None:
    """Judge the claims by the tables of a run; writes verdicts.json, and the config's size next to it."""
    with one_line_errors():
        from jouleproof.evidence.ledger import read_ledgers
        from jouleproof.evidence.ledger_check import check_figures, check_tables
        from jouleproof.evidence.verdicts import verdicts, write_verdicts

        ledgers = ledger or built_in_ledgers()
        claims = read_ledgers(ledgers)
        check_figures(ledgers, figures)
        check_tables(ledgers, results, built_in_ledgers())
        write_verdicts(verdicts(claims, results, [note] if note else []), results / "verdicts.json")
        write_text(results / "verdicts.size.txt", size + "\n")


@app.command()
def show(results: Results = RESULTS) -> None:
    """Print the verdict table and where the paper and the report are."""
    with one_line_errors():
        from jouleproof.evidence.show import terminal
        from jouleproof.evidence.verdicts import read_verdicts

        print(terminal(read_verdicts(results / "verdicts.json")))
        for name in ("paper.pdf", "report.html"):
            print(f"{name.partition('.')[0]}: {results / name}")


@app.command()
def check(results: Results = RESULTS, expected: Expected = EXPECTED) -> None:
    """Compare each verdict with the one accepted for the same config and stand-ins; exit with 1 if one changed that
    should not."""
    with one_line_errors():
        from jouleproof.evidence.expected import compare, nothing_to_compare, read_expected
        from jouleproof.evidence.verdicts import read_verdicts

        rows, size, accepted = read_verdicts(results / "verdicts.json"), _size(results), read_expected(expected)
        if not any(accepted_size == size for accepted_size, _ in accepted):
            print(f"check: {expected} has no verdicts for config {size}; nothing to compare")
            return
        comparison = compare(rows, size, accepted)
        for section, names in comparison.unaccepted.items():
            print(f"check: nothing to compare: {nothing_to_compare(section, names)}")
        for warning in comparison.warnings:
            print(f"check: warning: {warning}", file=sys.stderr)
        if comparison.failures:
            raise UserError("\n".join(f"check: {failure}" for failure in comparison.failures))
        print(f"check: {comparison.unchanged} of {len(rows)} verdicts of config {size} match {expected}")


@app.command()
def accept(results: Results = RESULTS, expected: Expected = EXPECTED) -> None:
    """Make this run's verdicts the expected ones for their stand-ins; a default run also writes the tables of README
    and docs from those without any, and, where it has no stand-in, those of speed and the overview."""
    with one_line_errors():
        from jouleproof.evidence import expected as accepted
        from jouleproof.evidence.verdicts import NOT_YET_RUN, read_verdicts

        rows, size = read_verdicts(results / "verdicts.json"), _size(results)
        before = accepted.read_expected(expected)
        after = accepted.merged(before, size, rows)
        accepted.write_expected(after, expected)
        filed = Counter((size, accepted.section_of(row)) for row in rows if row.verdict != NOT_YET_RUN)
        for (_, section), count in sorted(filed.items()):
            ground = accepted.ground_of(section)
            print(f"accept: wrote {count} verdicts of config {size} that rest on {ground} to {expected}")
        for (_, section), names in accepted.dropped(before, after).items():
            ground = accepted.ground_of(section)
            print(f"accept: dropped verdicts on {ground}, which this run does not answer: {', '.join(names)}")
        if README_KEY in filed:
            _write_verdict_tables(after[README_KEY])
            print(f"accept: wrote the verdicts in {README} and {VERDICTS}")
            if set(filed) == {README_KEY}:
                _write_speed_and_picture(results)
                print(f"accept: wrote {README_PICTURE} and the tables of {PERFORMANCE}")


def _write_verdict_tables(accepted: "Mapping[str, Accepted]") -> None:
    """Write the tables of verdicts in README and docs from the accepted ones, by name."""
    from jouleproof.evidence import pages
    from jouleproof.evidence.ledger import read_ledgers
    from jouleproof.study import built_in_studies

    claims = read_ledgers(built_in_ledgers())
    titles = {study.name: study.title for study in built_in_studies()}
    readme = pages.replaced(README.read_text(encoding="utf-8"), "examples", pages.examples(claims, accepted))
    readme = pages.replaced(readme, "areas", pages.areas(claims, accepted, titles))
    page = VERDICTS.read_text(encoding="utf-8")
    page = pages.replaced(page, "verdicts", pages.verdicts(claims, accepted, titles))
    write_text(README, readme)
    write_text(VERDICTS, page)


def _write_speed_and_picture(results: Path) -> None:
    """Write the tables of results in docs from those of a run, and copy its overview."""
    from jouleproof.evidence import pages

    write_text(PERFORMANCE, pages.result_tables(PERFORMANCE.read_text(encoding="utf-8"), results / "tables"))
    shutil.copyfile(results / "figures" / "overview.png", README_PICTURE)


@app.command()
def pages(
    results: Results = RESULTS,
    study: Annotated[list[str], typer.Option(help="The package of a custom study.")] = [],  # noqa: B006
) -> None:
    """Draw all verdicts of verdicts.json in one figure, and write them as one table."""
    with one_line_errors():
        from jouleproof.drawing import overview, verdicts
        from jouleproof.study import built_in_studies, find_study

        titles = {one.name: one.title for one in (*built_in_studies(), *map(find_study, study))}
        overview.make(results / "verdicts.json", results / "figures" / "overview", titles)
        verdicts.make(results / "verdicts.json", results / "tables" / "verdicts")


def built_in_ledgers() -> list[Path]:
    """Ledgers of the built-in studies, in their order."""
    from jouleproof.study import built_in_studies

    return [study.ledger for study in built_in_studies() if study.ledger]


def _size(results: Path) -> str:
    path = results / "verdicts.size.txt"
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        advice = "; run `snakemake` first" if isinstance(error, FileNotFoundError) else ""
        raise UserError(f"claims: {path} cannot be read ({system_reason(error)}){advice}") from error
