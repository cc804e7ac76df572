"""A cheap part of every study that the cluster tests run, and helpers that read the results."""

import hashlib
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from jouleproof.study import Experiment, built_in_studies
from tests.pipeline.conftest import ROOT, STAND_IN, TINY

CONFIG = (*TINY, *STAND_IN, "quick=False")  # a figure needs only its tables
FORMATS, RATES, TRACES, MATVEC = (
    f"results/{name}.parquet" for name in ("mx/formats", "mx/peak_rates", "phase_split/traces", "mx/matvec")
)
PART = (
    "results/figures/mx/qsnr.png",
    "results/tables/mx/formats.csv",
    MATVEC,  # timed
    TRACES,  # from two inputs
    "results/placement/sensed.parquet",  # from another study's table
    "results/slm_energy/ladder.parquet",  # from models that are trained first
)


@cache
def experiments() -> dict[str, Experiment]:
    """Return the experiments by the names of their rules."""
    return {
        f"{study.name}_{name}": experiment
        for study in built_in_studies()
        for name, experiment in study.experiments.items()
    }


def profile(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / "profiles" / name / "config.yaml").read_text(encoding="utf-8"))


def on_cluster(name: str, *targets: str, config: str = "") -> tuple[str, ...]:
    """Return Snakemake's arguments: the tiny config with a cluster's profile, on nodes of two cores. config: other
    knobs."""
    return (
        *(*targets, "--profile", str(ROOT / "profiles" / name), *CONFIG, *([config] if config else [])),
        *("--cores", "2"),
        *("--seconds-between-status-checks", "1", "--latency-wait", "10"),
    )


def run_here(folder: Path, tables: list[str], ran: Path) -> None:
    """Make the same tables in `folder`, each by the command of its job, from the inputs of a run in another
    folder."""
    for table in tables:
        study, name = Path(table).parent.name, Path(table).stem
        records = [f"--input={ran}/results/inputs/{id}.json" for id in experiments()[f"{study}_{name}"].inputs]
        command = [sys.executable, "-m", "jouleproof", "run", study, name, *records, "--out", str(folder / table)]
        subprocess.run(command, check=True)


def untimed(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of the table of every experiment that is not timed."""
    tables = [
        record.with_name(record.name.replace(".provenance.json", ".parquet"))
        for record in sorted(folder.glob("results/*/*.provenance.json"))
        if not json.loads(record.read_text(encoding="utf-8"))["timed"]
    ]
    return {str(table.relative_to(folder)): hashlib.sha256(table.read_bytes()).hexdigest() for table in tables}


def submitted(dry_run: str) -> dict[str, dict[str, str]]:
    """Return by rule the threads and resources that Snakemake prints for a job that it would submit to the cluster."""
    by_rule = {}
    for block in re.split(r"\n(?= *(?:local)?rule \w+:\n)", dry_run):
        head = re.match(r" *rule (\w+):\n", block)
        resources = re.search(r"^ +resources: (.*)$", block, flags=re.MULTILINE)
        if head and resources:
            threads = re.search(r"^ +threads: (\d+)$", block, flags=re.MULTILINE)
            named = dict(re.findall(r"(\w+)=([^,]*)", resources[1]))
            by_rule[head[1]] = {"threads": threads[1] if threads else "1", **named}
    return by_rule
