"""The cost of a run and its prediction for other machines."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from jouleproof.cli import app
from jouleproof.evidence.cost import Task, chains_s, makespan_s, tasks_of
from jouleproof.study import built_in_studies, tables_read


def test_one_core_runs_one_after_the_other() -> None:
    assert makespan_s({"a": Task(3), "b": Task(2), "c": Task(1, alone=True)}, nodes=1, cores=1) == 6


def test_a_timed_task_waits_for_an_empty_node() -> None:
    tasks = {"long": Task(5), "timed": Task(2, alone=True)}
    assert makespan_s(tasks, nodes=1, cores=2) == 7
    assert makespan_s(tasks, nodes=2, cores=2) == 5


def test_a_task_starts_when_the_tables_that_it_reads_are_there() -> None:
    tasks = {"first": Task(4), "second": Task(3, after=("first",)), "other": Task(6)}
    assert makespan_s(tasks, nodes=9, cores=9) == 7
    assert chains_s(tasks) == {"first": 7, "second": 3, "other": 6}


tasks = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=3),
    st.builds(Task, wall_s=st.integers(1, 50), alone=st.booleans()),
    min_size=1,
    max_size=12,
)


@given(tasks, st.integers(1, 4), st.integers(1, 4))
def test_no_prediction_beats_the_work_or_the_longest_chain_or_is_worse_than_one_core(
    tasks: dict[str, Task], nodes: int, cores: int
) -> None:
    work = sum(task.wall_s * (cores if task.alone else 1) for task in tasks.values())
    span = makespan_s(tasks, nodes, cores)
    assert span >= max(work / (nodes * cores), *chains_s(tasks).values())
    assert span <= sum(task.wall_s for task in tasks.values())


def write_record(results: Path, name: str, **values: object) -> None:
    path = results / f"{name}.provenance.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"wall_s": 60.0, "cpu_s": 30.0, "timed": False, **values}), encoding="utf-8")


def test_records_of_a_run_are_read_with_what_waits_for_what(tmp_path: Path) -> None:
    write_record(tmp_path, "phase_split/power_trace")
    write_record(tmp_path, "placement/sensed")
    write_record(tmp_path, "slm_energy/cost", timed=True)
    tasks = tasks_of(tmp_path, tables_read(built_in_studies()))
    assert tasks["placement/sensed"].after == ("phase_split/power_trace",)
    assert tasks["slm_energy/cost"] == Task(60.0, 30.0, alone=True)  # quality left no record


def cost(results: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["cost", str(results), *options])


@pytest.mark.parametrize(
    ("options", "line"),
    [((), "no provenance of a run in"), (("--nodes", "0"), "--nodes must be at least 1, got 0")],
    ids=["nothing ran", "no node"],
)
def test_a_mistake_is_one_line(tmp_path: Path, options: tuple[str, ...], line: str) -> None:
    if options:
        write_record(tmp_path, "mx/qsnr")
    done = cost(tmp_path, *options)
    assert done.exit_code == 1 and line in done.stderr and len(done.stderr.splitlines()) == 1


def test_the_report_counts_core_hours_and_predicts(tmp_path: Path) -> None:
    for name in ("mx/qsnr", "mx/formats"):
        write_record(tmp_path, name)
    done = cost(tmp_path, "--nodes", "1", "--cores", "1", "--cores", "2")
    assert done.stdout.startswith("2 experiments, 0.02 core hours; in sequence 2.0 min")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines() if "|" in line]
    assert ["1", "1", "2.0"] in rows and ["1", "2", "1.0"] in rows
