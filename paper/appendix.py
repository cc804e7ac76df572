"""Write the data of the artifact appendix of a run as one JSON file: per claim the command, its cost and its files; the
machine, memory, disk and inputs. It reads the ledger, the list of figures and the provenance of the tables.

    python paper/appendix.py --out results/appendix.json
"""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from jouleproof.drawing.registry import Figure, folders_in, registry
from jouleproof.errors import UserError, one_line_errors
from jouleproof.evidence.cost import Task, makespan_s, provenance_of, tasks_of
from jouleproof.evidence.ledger import Claim, read_ledgers
from jouleproof.evidence.provenance import merged
from jouleproof.files import write_text
from jouleproof.inputs import catalogue
from jouleproof.study import built_in_studies, find_study, tables_read

ROOT = Path(__file__).resolve().parent.parent
MACHINE = ("processor", "architecture", "cores", "memory_bytes", "system", "python")
SUFFIXES = {"figure": ("pdf", "svg", "png"), "table": ("csv", "tex", "html")}


def appendix(
    results: Path, claims: list[Claim], pictures: Mapping[str, Figure], reads: Mapping[str, list[str]]
) -> dict[str, Any]:
    """Collect the facts of a run. Raises UserError if the folder holds no provenance."""
    tasks, provenance = tasks_of(results, reads), provenance_of(results)
    if not tasks:
        raise UserError(f"appendix: {results}: no provenance of a run here; run `snakemake` first")
    records = list(provenance.values())
    machines = _distinct({fact: record["machine"][fact] for fact in MACHINE} for record in records)
    folders = {results / name.partition("/")[0] for name in provenance}
    return {
        "machines": machines,
        "code": _distinct(record["code"] for record in records),
        "time": {
            "experiments": len(tasks),
            "timed": sum(task.alone for task in tasks.values()),
            **_cost(tasks, tasks),
            "together_s": makespan_s(tasks, 1, min(machine["cores"] for machine in machines)),
        },
        "peak_memory_bytes": max((record.get("peak_memory_bytes", 0) for record in records), default=0) or None,
        "disk": {
            "tables_bytes": sum(map(_bytes_below, folders)),
            "inputs_bytes": _bytes_below(results / "inputs"),
            "environment_bytes": _bytes_below(Path(sys.prefix)) if sys.prefix != sys.base_prefix else None,
        },
        "inputs": _inputs(records),
        "claims": {claim.id: _claim(claim, pictures, tasks) for claim in claims},
    }


def _claim(claim: Claim, pictures: Mapping[str, Figure], tasks: Mapping[str, Task]) -> dict[str, Any]:
    """Snakemake targets of a claim, the files that show it, and the cost of the experiments that these need.

    missing: experiments without a record in this run, which the cost excludes.
    """
    queries = [*claim.query.values(), *([claim.against] if claim.against else []), *claim.context]
    tables = list(dict.fromkeys(query.table for query in queries))
    targets, files = [f"results/{table}.parquet" for table in tables], []
    picture = pictures.get(claim.figure or "")
    if picture and tables:
        files = [f"results/{picture.kind}s/{picture.name}.{suffix}" for suffix in SUFFIXES[picture.kind]]
        targets.append(files[0])
        tables += picture.sources
    needed = _with_those_before(tables, tasks)
    return {
        "targets": targets,
        "files": files,
        "missing": [name for name in needed if name not in tasks],
        "timed": any(tasks[name].alone for name in needed if name in tasks),
        **_cost([name for name in needed if name in tasks], tasks),
    }


def _with_those_before(names: Iterable[str], tasks: Mapping[str, Task]) -> list[str]:
    """Experiments and, transitively, those whose tables they read."""
    needed = list(dict.fromkeys(names))
    for name in needed:
        needed += [other for other in (tasks[name].after if name in tasks else ()) if other not in needed]
    return needed


def _cost(names: Iterable[str], tasks: Mapping[str, Task]) -> dict[str, float]:
    """Total wall seconds, one after the other, and CPU seconds."""
    chosen = [tasks[name] for name in names]
    return {"wall_s": sum(task.wall_s for task in chosen), "cpu_s": sum(task.cpu_s for task in chosen)}


def _inputs(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Inputs that a table rests on, in the order of the catalogue."""
    inputs = merged(record["inputs"] for record in records)
    return [
        {"id": id, "title": entry.title, "bytes": entry.bytes, "licence": entry.licence, "origin": inputs[id]["origin"]}
        for id, entry in catalogue().items()
        if id in inputs
    ]


def _distinct(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({json.dumps(record, sort_keys=True): record for record in records}.values())


def _bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def main(
    out: Annotated[Path, typer.Option()] = Path("results/appendix.json"),
    results: Annotated[Path, typer.Option(help="Folder of the studies' tables.")] = Path("results"),
    ledger: Annotated[list[Path], typer.Option(help="Claims of a study.")] = [],  # noqa: B006
    study: Annotated[list[str], typer.Option(help="A study of your own, as its package.")] = [],  # noqa: B006
) -> None:
    with one_line_errors():
        studies = [*built_in_studies(), *map(find_study, study)]
        added = {one.name: one.figures for one in studies if not one.built_in}
        pictures = registry({**folders_in(ROOT / "figures"), **added})
        ledgers = ledger or [one.ledger for one in studies if one.ledger]
        facts = appendix(results, read_ledgers(ledgers), pictures, tables_read(studies))
        write_text(out, json.dumps(facts, indent=1, allow_nan=False, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    typer.run(main)
