"""What the cluster tests run: a cheap part of every study, and what a job was given."""

import hashlib
import json
import os
import re
from pathlib import Path

import yaml

from tests.pipeline.conftest import ROOT, STAND_IN, TINY

TIMED = "results/mx/matvec.parquet"
PART = (
    "results/figures/mx/qsnr.png",
    "results/tables/mx/formats.csv",
    "results/phase_split/traces.parquet",  # from two inputs
    "results/placement/sensed.parquet",  # from another study's table
    "results/slm_energy/ladder.parquet",
    TIMED,
)


def profile(name: str) -> dict:
    return yaml.safe_load((ROOT / "profiles" / name / "config.yaml").read_text(encoding="utf-8"))


def arguments(name: str, *targets: str) -> tuple[str, ...]:
    """Of Snakemake, for the tiny config with a profile for clusters, on nodes of two cores."""
    often = ("--seconds-between-status-checks", "1", "--latency-wait", "10")
    return (*targets, "--profile", f"profiles/{name}", *TINY, *STAND_IN, "--cores", "2", *often)


def with_slurm(environment: dict[str, str]) -> dict[str, str]:
    return {**os.environ, **environment}


def untimed(project: Path) -> dict[str, str]:
    """SHA-256 of every table of a study that holds no timing."""
    return {
        str(record.relative_to(project)): hashlib.sha256(_table(record).read_bytes()).hexdigest()
        for record in sorted(project.glob("results/*/*.provenance.json"))
        if not json.loads(record.read_text(encoding="utf-8"))["timed"]
    }


def _table(record: Path) -> Path:
    return record.with_name(record.name.replace(".provenance.json", ".parquet"))


def jobs_of_dry_run(text: str) -> dict[str, dict[str, str]]:
    """By rule, what Snakemake prints of one of its jobs: `threads`, and what stands under `resources`."""
    found = {}
    for block in re.split(r"\n\s*\n", text):
        head = re.search(r"^(local)?rule (\w+):$", block, flags=re.MULTILINE)
        if head:
            threads = re.search(r"^ +threads: (\d+)$", block, flags=re.MULTILINE)
            resources = re.search(r"^ +resources: (.*)$", block, flags=re.MULTILINE)
            pairs = re.findall(r"(\w+)=([^,]*)", resources[1]) if resources else []
            found[head[2]] = {
                **dict(pairs), "threads": threads[1] if threads else "1", "local": "yes" if head[1] else ""
            }  # fmt: skip
    return found
