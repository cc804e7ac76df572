"""A part of the tiny config through a one-node Slurm that the tests start; with JOULEPROOF_WHOLE=1 all of it."""

import os
import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.cluster.jobs import (
    CONFIG,
    FORMATS,
    MATVEC,
    PART,
    TRACES,
    experiments,
    on_cluster,
    profile,
    run_here,
    untimed,
)
from tests.pipeline.conftest import ROOT, snakemake
from workflows.slurm import one_node

PLUGIN = "snakemake_executor_plugin_cluster_generic"
pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(
        bool(one_node.absent()),
        reason=f"not installed: {', '.join(one_node.absent())} (apt install slurmctld slurmd slurm-client munge)",
    ),
    pytest.mark.skipif(find_spec(PLUGIN) is None, reason="pip install -e '.[cluster]' was not done"),
]
BROKEN = "def rule(amax, fmt):\n    raise SystemExit('out of order')\n"
WITH_BROKEN = "mx={formats: [mxfp4], scales: ['own:rule'], qsnr: {vectors: 10, length: 32, seeds: [0]}}"


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Return the environment of Slurm's commands."""
    folder = tmp_path_factory.mktemp("slurm")
    try:
        yield one_node.start(folder)
    finally:
        one_node.stop(folder)


def ask(slurm: dict[str, str], *command: str) -> str:
    done = subprocess.run(command, env={**os.environ, **slurm}, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def ran_through(slurm: dict[str, str], folder: Path, *targets: str) -> set[str]:
    """Return the names of Slurm's jobs."""
    done = snakemake(folder, *on_cluster("slurm", *targets), timeout_s=3600, **slurm)
    assert done.returncode == 0, done.stdout[-4000:]
    lines = ask(slurm, "squeue", "--states=all", "--noheader", "--format=%j %T %h").splitlines()
    jobs, states, shares = zip(*map(str.split, lines), strict=True)
    assert set(states) == {"COMPLETED"}
    assert {name for name, share in zip(jobs, shares, strict=True) if share == "NO"} == {
        name for name in jobs if name in experiments() and experiments()[name].timed
    }
    return set(jobs)


def test_jobs_pass_through_slurm_and_their_tables_have_the_bytes_of_a_local_run(
    slurm: dict[str, str], folder: Path, tmp_path: Path
) -> None:
    jobs = ran_through(slurm, folder, FORMATS, TRACES, MATVEC)
    assert jobs == {"GROUP", "mx_matvec"}  # inputs are resolved where Snakemake runs
    run_here(tmp_path / "local", [FORMATS, TRACES], folder)
    assert untimed(folder) == untimed(tmp_path / "local") != {}


@pytest.mark.long
def test_a_part_of_every_study_passes_through_slurm_with_the_bytes_of_a_local_run(
    slurm: dict[str, str], folder: Path, tmp_path: Path
) -> None:
    targets = () if os.environ.get("JOULEPROOF_WHOLE") else PART
    jobs = ran_through(slurm, folder, *targets)
    assert jobs >= {"GROUP", "mx_matvec", "slm_energy_train_equal_steps_1k"}
    assert not jobs & {"mx_formats", "resolve_input"}
    local = tmp_path / "local"
    local.mkdir()
    done = snakemake(local, *(target for target in targets if target != MATVEC), *CONFIG, "--cores", "2")
    assert done.returncode == 0, done.stdout[-4000:]
    assert untimed(folder) == untimed(local)
    assert len(untimed(folder)) >= len(PART) - 1


def test_a_job_sees_no_variable_that_the_profile_does_not_name(slurm: dict[str, str], tmp_path: Path) -> None:
    options = shlex.split(profile("slurm")["cluster-generic-submit-cmd"])
    export = next(option for option in options if option.startswith("--export="))
    out = tmp_path / "environment"
    environment = {**os.environ, **slurm, "CLOUD_TOKEN": "hidden-words", "PYTHONPATH": "/named"}
    command = ["sbatch", "--wait", f"--output={out}", export, "--wrap=env"]
    subprocess.run(command, env=environment, capture_output=True, timeout=120, check=True)
    seen = out.read_text(encoding="utf-8")
    assert "PYTHONPATH=/named" in seen
    assert "CLOUD_TOKEN" not in seen and "hidden-words" not in seen


def test_a_job_that_fails_is_tried_again_and_then_stops_the_run_with_its_log(
    slurm: dict[str, str], folder: Path
) -> None:
    (folder / "own.py").write_text(BROKEN, encoding="utf-8")
    target = "results/mx/qsnr.parquet"
    done = snakemake(folder, *on_cluster("slurm", target, config=WITH_BROKEN), **slurm)
    assert done.returncode != 0
    assert not (folder / target).exists()
    logs = [path.read_text(encoding="utf-8") for path in (folder / "results/log/slurm").glob("*.log")]
    assert len(logs) == 2 and all("out of order" in log for log in logs)


def test_status_follows_a_job_to_its_end(slurm: dict[str, str], tmp_path: Path) -> None:
    def status(job: str) -> str:
        return ask(slurm, str(ROOT / "workflows/slurm/status"), job).strip()

    def submit(*command: str) -> str:
        return ask(slurm, "sbatch", "--parsable", f"--output={tmp_path}/%j.log", *command).strip()

    def ended(job: str) -> str:
        for _ in range(300):
            if status(job) != "running":
                break
            time.sleep(0.1)
        return status(job)

    held = submit("--hold", "--wrap=true")
    assert status(held) == "running"
    ask(slurm, "scancel", held)
    assert ended(held) == "failed"
    assert ended(submit("--wrap=true")) == "success"
    assert ended(submit("--wrap=false")) == "failed"
    assert status("999999") == "failed"


def test_where_slurm_gives_no_answer_a_job_counts_as_running(tmp_path: Path) -> None:
    nowhere = tmp_path / "slurm.conf"
    nowhere.write_text("ClusterName=none\nSlurmctldHost=localhost(127.0.0.1)\nSlurmctldPort=9\nMessageTimeout=1\n")
    assert re.fullmatch("running\n", ask({"SLURM_CONF": str(nowhere)}, str(ROOT / "workflows/slurm/status"), "1"))
