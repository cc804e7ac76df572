"""The large campaign: `python -m tests.faults fuzz | pipeline | table`. `snakemake faults` runs all of it."""

import faulthandler
import json
import resource
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from jouleproof.files import write_text
from tests.faults import pipeline, table
from tests.faults.fuzz import Tally, fuzz
from tests.faults.targets import TARGETS

PATIENCE_S, BATCH, MOST_BYTES = 120, 500, 16 << 30

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.command("fuzz")
def fuzz_one(
    target: str,
    out: Annotated[
        Path, typer.Option(help="JSON; written after every batch, so that it shows what has been tried so far.")
    ],
    inputs: Annotated[int, typer.Option(min=1)] = 100_000,
) -> None:
    """Try damaged inputs on one target.

    A crash of the interpreter or a hang ends the process; the input is left next to `out`.
    """
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    total = Tally()
    with tempfile.TemporaryDirectory(prefix="input.", dir=out.parent) as folder:
        for start in range(0, inputs, BATCH):
            faulthandler.dump_traceback_later(PATIENCE_S * 5, exit=True)
            findings = fuzz(target, range(start, min(start + BATCH, inputs)), Path(folder))
            faulthandler.cancel_dump_traceback_later()
            total.outcomes += findings.outcomes
            total.examples += findings.examples
            _write(out, f"damaged {TARGETS[target].what}", total.outcomes, total.examples)


@app.command("pipeline")
def pipeline_one(
    fault: str,
    out: Annotated[Path, typer.Option(help="JSON.")],
    times: Annotated[int, typer.Option(min=1)] = 1,
    seed: int = 0,
) -> None:
    """Try one fault of the pipeline a number of times, in a separate folder."""
    case = pipeline.FAULTS[fault]
    if case.mounts and not pipeline.may_mount():
        _write(out, case.what, {"not tried: this user may not mount a file system": 0}, [])
        return
    with tempfile.TemporaryDirectory(prefix="faults.") as folder:
        for outcomes in case.run(Path(folder), times, seed):
            _write(out, case.what, outcomes, [])


@app.command("table")
def make_table(
    records: list[Path], out: Annotated[Path, typer.Option(help="CSV: what, tried, what happened.")]
) -> None:
    """Merge all records into one table; exit with 1 if something happened that must not."""
    rows = [json.loads(path.read_text(encoding="utf-8")) for path in records]
    write_text(out, table.as_csv(rows))
    if wrong := table.bad(rows):
        raise SystemExit("\n".join(f"faults: {line}" for line in wrong))


@app.command("page")
def write_page(source: Path, page: Annotated[Path, typer.Option()] = Path("docs/robustness.md")) -> None:
    """Rewrite the table of a page from the CSV that `table` wrote."""
    write_text(page, table.replaced(page.read_text(encoding="utf-8"), source.read_text(encoding="utf-8")))


def _write(out: Path, what: str, outcomes: dict[str, int], examples: list[tuple[int, str]]) -> None:
    record = {"what": what, "tried": sum(outcomes.values()), "outcomes": dict(outcomes), "examples": examples}
    write_text(out, json.dumps(record, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    app()
