"""What the cluster tests run, a cheap part of every study, and how they read what came of it."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import yaml

from jouleproof.studies.joint.__main__ import EXPERIMENTS as JOINT
from jouleproof.studies.mx.__main__ import EXPERIMENTS as MX
from jouleproof.studies.phase_split.__main__ import EXPERIMENTS as PHASE_SPLIT
from jouleproof.studies.placement.__main__ import EXPERIMENTS as PLACEMENT
from jouleproof.studies.slm_energy.__main__ import EXPERIMENTS as SLM_ENERGY
from tests.pipeline.conftest import ROOT, STAND_IN, TINY

EXPERIMENTS = {
    f"{study}_{name}": experiment
    for study, experiments in (
        ("mx", MX),
        ("phase_split", PHASE_SPLIT),
        ("placement", PLACEMENT),
        ("slm_energy", SLM_ENERGY),
        ("joint", JOINT),
    )
    for name, experiment in experiments.items()
}
PART = (
    "results/figures/mx/qsnr.png",
    "results/tables/mx/formats.csv",
    "results/mx/matvec.parquet",  # timed
    "results/phase_split/traces.parquet",  # from two inputs
    "results/placement/sensed.parquet",  # from another study's table
    "results/slm_energy/ladder.parquet",
)


def profile(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / "profiles" / name / "config.yaml").read_text(encoding="utf-8"))


def on_cluster(name: str, *targets: str) -> tuple[str, ...]:
    """Arguments of Snakemake: the tiny config with a cluster's profile, on nodes of two cores."""
    return (
        *(*targets, "--profile", f"profiles/{name}", *TINY, *STAND_IN, "--cores", "2"),
        *("--seconds-between-status-checks", "1", "--latency-wait", "10"),
    )


def untimed(project: Path) -> dict[str, str]:
    """SHA-256 of every experiment's table that holds no timing."""
    tables = [
        record.with_name(record.name.replace(".provenance.json", ".parquet"))
        for record in sorted(project.glob("results/*/*.provenance.json"))
        if not json.loads(record.read_text(encoding="utf-8"))["timed"]
    ]
    return {str(table.relative_to(project)): hashlib.sha256(table.read_bytes()).hexdigest() for table in tables}


def submitted(dry_run: str) -> dict[str, dict[str, str]]:
    """By rule, the threads and resources that Snakemake prints of a job that it would hand to the cluster."""
    found = {}
    for block in re.split(r"\n(?= *(?:local)?rule \w+:\n)", dry_run):
        head = re.match(r" *rule (\w+):\n", block)
        resources = re.search(r"^ +resources: (.*)$", block, flags=re.MULTILINE)
        if head and resources:
            threads = re.search(r"^ +threads: (\d+)$", block, flags=re.MULTILINE)
            named = dict(re.findall(r"(\w+)=([^,]*)", resources[1]))
            found[head[1]] = {"threads": threads[1] if threads else "1", **named}
    return found
