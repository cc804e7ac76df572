"""Reruns after an edit: the jobs that read the edited file, and no others."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.pipeline.conftest import Finished

pytestmark = [pytest.mark.pipeline, pytest.mark.long]
PAGES = {"all", "verdicts", "verdict_pages", "paper", "appendix", "html_report"}  # of any table that changes
DRAWN = {"all", "paper", "html_report"}  # of any figure
OF_CONFIG = {"config"}


def experiments(jobs: set[str]) -> set[str]:
    return {job for job in jobs - PAGES - OF_CONFIG if not job.startswith("draw_")}


def drawings(jobs: set[str]) -> set[str]:
    return {job for job in jobs if job.startswith("draw_")}


def test_a_second_run_has_nothing_to_do(finished: Finished) -> None:
    assert finished.would_run() == set()


def test_a_knob_runs_the_experiments_that_read_it(finished: Finished) -> None:
    jobs = finished.would_run(config="mx={qsnr: {vectors: 210}}")
    assert experiments(jobs) == {"mx_qsnr", "mx_silicon"}
    assert jobs >= PAGES | OF_CONFIG
    assert drawings(jobs) and all(job.startswith("draw_mx_") for job in drawings(jobs))


def test_a_knob_of_training_trains_what_it_changes_and_no_more(finished: Finished) -> None:
    jobs = experiments(finished.would_run(config="slm_energy={fine_tuning: {steps: 5}}"))
    assert jobs == {
        "slm_energy_train_fine_tuned_1k",
        "slm_energy_train_fine_tuned_4k",
        "slm_energy_train_from_scratch_1k",
        "slm_energy_fine_tuning",
        "slm_energy_ladder_cost",
        "slm_energy_ladder_energy",
    }


def test_a_compiled_kernel_runs_what_computes_with_it_and_no_simulation(finished: Finished) -> None:
    jobs = finished.after_edit("bench/jouleproof/formats/compiled/quantizer.py")
    assert experiments(jobs) >= {
        "mx_qsnr",
        "mx_direct_cast_language",
        "mx_training",
        "slm_energy_quality",
        "phase_split_moves",
        "rotation_gain",
    }
    simulated = (
        "phase_split_headlines",
        "phase_split_capacity",
        "phase_split_power_trace",
        "placement_",
        "slm_energy_train",
    )
    assert [job for job in experiments(jobs) if job.startswith(simulated)] == []


def test_the_simulators_kernel_runs_the_simulations_and_no_cast(finished: Finished) -> None:
    jobs = experiments(finished.after_edit("bench/jouleproof/serving/simulator/event_loop/batching.py"))
    assert jobs >= {"phase_split_headlines", "phase_split_power_trace", "placement_policies", "joint_levers"}
    assert [job for job in jobs if job.startswith(("mx_", "slm_energy_", "resolve_input", "placement_hosting"))] == []


def test_an_experiments_own_file_runs_that_experiment(finished: Finished) -> None:
    jobs = finished.after_edit("bench/jouleproof/studies/mx/experiments/conformance.py")
    assert (experiments(jobs) == {"mx_conformance"} and drawings(jobs) == {"draw_mx_conformance"}) or drawings(jobs)


def test_a_figures_file_draws_it_again_and_runs_nothing(finished: Finished) -> None:
    jobs = finished.after_edit("figures/mx/qsnr.py")
    assert experiments(jobs) == set() and len(drawings(jobs)) == 1 and jobs - drawings(jobs) == DRAWN


def test_the_shape_of_a_config_runs_nothing_where_no_knob_changes(finished: Finished) -> None:
    path = "bench/jouleproof/studies/mx/config.py"
    assert finished.after_edit(path, "\n\nclass UnusedConfig(Strict):\n    knob: int = 1\n") == set()
    jobs = finished.after_edit(path, '5.5, description="of Student', before='5.0, description="of Student')
    assert experiments(jobs) == {"mx_qsnr", "mx_silicon", "mx_error_sources"}


def test_an_object_of_the_users_own_runs_what_names_it(finished: Finished) -> None:
    jobs = finished.after_edit("tests/extension_example/rotation/experiments.py")
    assert experiments(jobs) == {"rotation_gain"} and jobs >= PAGES
    jobs = experiments(finished.after_edit("tests/extension_example/cluster.py"))
    assert jobs == {"phase_split_capacity", "phase_split_latency"}


def test_a_lost_table_is_made_again(finished: Finished) -> None:
    table = finished.results / "mx/conformance.parquet"
    moved = table.rename(table.with_name("kept"))
    try:
        assert "mx_conformance" in finished.would_run()
    finally:
        moved.rename(table)


def test_a_job_that_fails_leaves_the_good_table_and_its_provenance(finished: Finished) -> None:
    table = finished.results / "mx/formats.parquet"
    provenance = table.with_name("formats.provenance.json")
    before = table.read_bytes(), json.loads(provenance.read_text())
    file = finished.home / "bench/jouleproof/studies/mx/experiments/formats.py"
    content, times = file.read_text(encoding="utf-8"), file.stat()
    try:
        file.write_text(content + "\n\ndef formats(config):\n    raise ValueError('not today')\n", encoding="utf-8")
        done = finished.snakemake("results/mx/formats.parquet", "--cores", "1")
        assert done.returncode != 0 and "ValueError: not today" in done.stdout
        assert (table.read_bytes(), json.loads(provenance.read_text())) == before
        assert "mx_formats" in finished.would_run("results/mx/formats.parquet")
    finally:
        file.write_text(content, encoding="utf-8")
    assert finished.snakemake("results/mx/formats.parquet", "--cores", "1").returncode == 0
    assert times and table.read_bytes() == before[0]


def test_a_trial_beside_a_finished_run_leaves_it_alone(finished: Finished) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.results.rglob("*") if path.is_file()}
    target = "trial/mx/formats.parquet"
    done = finished.snakemake(target, "--cores", "1", config="results=trial")
    assert done.returncode == 0, done.stdout
    assert pq.read_table(finished.folder / target).num_rows > 0
    assert {path: path.stat().st_mtime_ns for path in finished.results.rglob("*") if path.is_file()} == before
    assert finished.would_run() == set()


def test_looking_leaves_no_trace(finished: Finished, tmp_path: Path) -> None:
    """Only Snakemake's records in .snakemake may change."""
    from tests.pipeline.conftest import TINY, snakemake

    for arguments in (("-n",), ("--list-rules",)):
        assert snakemake(tmp_path, *TINY, *arguments, home=finished.home).returncode == 0
    assert [path.name for path in tmp_path.iterdir() if path.name != ".snakemake"] == []
