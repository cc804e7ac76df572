"""The whole pipeline in the tiny config, on generated problems."""

import hashlib
import importlib.util
import json
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from jouleproof.drawing.registry import registry
from jouleproof.studies.joint.__main__ import EXPERIMENTS as JOINT
from jouleproof.studies.mx.__main__ import EXPERIMENTS as MX
from jouleproof.studies.phase_split.__main__ import EXPERIMENTS as PHASE_SPLIT
from jouleproof.studies.placement.__main__ import EXPERIMENTS as PLACEMENT
from jouleproof.studies.slm_energy.__main__ import EXPERIMENTS as SLM_ENERGY
from tests.pipeline.conftest import EXTENDED, STAND_IN, copy_project, snakemake

OWN_STUDY = "tests.extension_example.rotation"
STUDIES = {
    "mx": MX, "phase_split": PHASE_SPLIT, "placement": PLACEMENT, "slm_energy": SLM_ENERGY, "joint": JOINT,
}  # fmt: skip


def remade(done: subprocess.CompletedProcess[str]) -> set[str]:
    """Names of the jobs that a dry run would run."""
    assert done.returncode == 0, done.stdout
    return set(re.findall(r"^(\w+) +\d+$", done.stdout, flags=re.MULTILINE)) - {"total"}


def digests(project: Path) -> dict[str, str]:
    """SHA-256 of every table, figure and table of text that no timing goes into; verdicts and paper show some."""
    results = project / "results"
    timed = {
        path.relative_to(results).as_posix().removesuffix(".provenance.json")
        for path in results.glob("*/*.provenance.json")
        if json.loads(path.read_text(encoding="utf-8"))["timed"]
    }
    steady = {f"{folder}/{name}" for name, figure in registry((OWN_STUDY,)).items() for folder in ("figures", "tables")
              if not timed & set(figure.sources)}  # fmt: skip
    found = [
        *(
            path
            for study in (*STUDIES, "rotation")
            for path in results.glob(f"{study}/*.parquet")
            if f"{study}/{path.stem}" not in timed
        ),
        *(path for name in steady for path in results.glob(f"{name}.*")),
    ]
    return {str(path.relative_to(project)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def test_every_figure_table_and_page_is_made(finished: Path) -> None:
    results = finished / "results"
    for name, figure in registry().items():
        folder, suffixes = (
            ("figures", ("pdf", "svg", "png")) if figure.kind == "figure" else ("tables", ("csv", "tex", "html"))
        )
        for suffix in suffixes:
            assert (results / folder / f"{name}.{suffix}").stat().st_size > 100
    assert (results / "paper.pdf").read_bytes().startswith(b"%PDF")
    assert (results / "appendix.pdf").read_bytes().startswith(b"%PDF")
    assert "<html" in (results / "report.html").read_text(encoding="utf-8")[:2000].lower()


def test_every_claim_has_its_row(finished: Path) -> None:
    rows = json.loads((finished / "results/verdicts.json").read_text(encoding="utf-8"))
    assert len({row["id"] for row in rows if row["area"] != "rotation"}) == 55
    ran = [row for row in rows if row["verdict"] != "not yet run"]
    assert {row["id"] for row in ran} >= {"mx.storage.mxfp4", "mx.inference.mxfp4"}


def test_what_a_user_adds_is_in_tables_figures_and_verdicts_by_its_name_alone(finished: Path) -> None:
    def seen(table: str, column: str) -> set[str]:
        return set(pq.read_table(finished / "results" / f"{table}.parquet")[column].to_pylist())

    assert "e3m4" in seen("mx/qsnr", "format") and "unit_scale" in seen("mx/qsnr", "scale")
    assert "h100_h20" in seen("phase_split/capacity", "design")
    assert "MEDIAN" in seen("placement/hosting", "information") and "FLAT" in seen("placement/hosting", "rule")
    assert "MINE" in seen("placement/policies", "policy") and "largest" in seen("placement/prediction", "predictor")
    assert "bigram" in seen("slm_energy/quality", "model") and "question_marks" in seen("slm_energy/quality", "task")
    assert "plug" in seen("slm_energy/meter_audit", "mode")
    tables = finished / "results/tables"
    assert "bigram" in (tables / "slm_energy/quality_numbers.csv").read_text(encoding="utf-8")
    assert "e3m4" in (tables / "mx/formats.csv").read_text(encoding="utf-8")
    assert (finished / "results/figures/rotation/gain.svg").stat().st_size > 1000
    rows = json.loads((finished / "results/verdicts.json").read_text(encoding="utf-8"))
    (row,) = [row for row in rows if row["area"] == "rotation"]
    assert (row["id"], row["verdict"], row["figure"]) == ("rotation.outliers", "reproduced", "rotation/gain")
    assert "rotation.outliers" in (tables / "verdicts.csv").read_text(encoding="utf-8")
    assert b"Rotation before a cast" in (finished / "results/report.html").read_bytes()


def test_an_edited_object_of_the_users_own_remakes_what_uses_it(finished: Path) -> None:
    file = finished / "tests/extension_example/rotation/experiments.py"
    before = file.read_text(encoding="utf-8")
    try:
        file.write_text(before + "\n# edited\n", encoding="utf-8")
        jobs = remade(snakemake(finished, *EXTENDED, *STAND_IN, "-n"))
        assert {"rotation_gain", "figure", "verdicts", "paper"} <= jobs
        assert not {"mx_qsnr", "table", "placement_hosting"} & jobs
    finally:
        file.write_text(before, encoding="utf-8")
        assert snakemake(finished, *EXTENDED, *STAND_IN, "--touch", "--cores", "1").returncode == 0


def test_the_notebooks_run_where_their_extra_is_installed(finished: Path) -> None:
    done = snakemake(finished, "notebooks", *EXTENDED, *STAND_IN, "--cores", "2")
    absent = [name for name in ("jupytext", "nbclient", "ipykernel") if importlib.util.find_spec(name) is None]
    if absent:
        assert (
            done.returncode != 0 and f"notebooks: {', '.join(absent)} not installed; run: pip install -e" in done.stdout
        )
        pytest.skip(f"{', '.join(absent)} not installed: pip install -e '.[notebooks]'")
    assert done.returncode == 0, done.stdout[-4000:]
    for study in STUDIES:
        cells = json.loads((finished / f"results/notebooks/{study}.ipynb").read_text(encoding="utf-8"))["cells"]
        outputs = [output for cell in cells if cell["cell_type"] == "code" for output in cell["outputs"]]
        assert {"image/png", "text/html"} <= {kind for output in outputs for kind in output.get("data", {})}
        assert not [output for output in outputs if output["output_type"] == "stream"]


def test_a_stand_in_is_named_in_verdict_provenance_and_figure(finished: Path) -> None:
    rows = {row["id"]: row for row in json.loads((finished / "results/verdicts.json").read_text(encoding="utf-8"))}
    assert "gsm8k_test is a stand-in" in rows["mx.inference.mxint8"]["flags"]
    assert not any("stand-in" in flag for flag in rows["mx.storage.mxfp4"]["flags"])
    provenance = json.loads((finished / "results/mx/direct_cast_language.provenance.json").read_text(encoding="utf-8"))
    assert provenance["inputs"]["gsm8k_test"]["origin"] == "stand-in"
    assert "stand-in used for gsm8k_test" in (finished / "results/tables/mx/direct_cast_numbers.html").read_text()


def test_every_verdict_of_the_tiny_config_says_that_it_decides_nothing(finished: Path) -> None:
    rows = json.loads((finished / "results/verdicts.json").read_text(encoding="utf-8"))
    flags = [row["flags"] for row in rows if row["verdict"] != "not yet run"]
    assert all("the tiny config is too small to decide anything" in of_row for of_row in flags)


def test_a_part_of_the_run_and_a_dry_run_leave_the_report_whole(finished: Path) -> None:
    report = (finished / "results/report.html").read_bytes()
    for arguments in (("results/mx/qsnr.parquet",), ("-n",)):
        assert snakemake(finished, *arguments, *EXTENDED, *STAND_IN, "--cores", "1").returncode == 0
    assert (finished / "results/report.html").read_bytes() == report
    assert b"The verdicts, claim by claim" in report


def test_a_lost_table_is_made_again(finished: Path) -> None:
    table = finished / "results/mx/conformance.parquet"
    content = table.read_bytes()
    try:
        table.unlink()
        assert "mx_conformance" in remade(snakemake(finished, *EXTENDED, *STAND_IN, "-n"))
    finally:
        table.write_bytes(content)
        assert snakemake(finished, *EXTENDED, *STAND_IN, "--touch", "--cores", "1").returncode == 0


def test_every_experiment_leaves_a_table_that_says_its_tier(finished: Path) -> None:
    tiers = {
        f"{study}/{path.stem}": set(pq.read_table(path)["tier"].to_pylist())
        for study in STUDIES
        for path in (finished / "results" / study).glob("*.parquet")
    }
    assert set(tiers) == {f"{study}/{name}" for study, experiments in STUDIES.items() for name in experiments}
    assert {name for name in tiers if name.startswith("mx/") and tiers[name] != {"measured"}} == {
        "mx/silicon",
        "mx/peak_rates",
    }
    assert tiers["mx/peak_rates"] == {"cited"} and tiers["phase_split/profile"] == {"cited"}
    assert tiers["phase_split/phases"] == {"cited", "simulated"}
    engine = {"phase_split/serving", "phase_split/moves", "phase_split/roofline"}
    assert tiers["phase_split/serving"] == {"measured", "simulated"}
    measured = {"phase_split/traces", "phase_split/simulator_speed", *engine}
    assert {name for name in tiers if name.startswith("phase_split/") and "measured" in tiers[name]} == measured
    others = {name: tiers[name] for name in tiers if name.startswith("placement/") and tiers[name] != {"simulated"}}
    assert others == {"placement/scale": {"measured"}, "placement/reality": {"cited", "measured", "simulated"}}
    mixed = {name: tiers[name] for name in tiers if name.startswith("slm_energy/") and tiers[name] != {"measured"}}
    assert mixed == {
        "slm_energy/ladder_energy": {"simulated"},
        "slm_energy/meter_audit": {"cited", "measured", "simulated"},
        "slm_energy/engines": {"cited", "measured"},
        "slm_energy/cards": {"cited"},
        "slm_energy/energy_points": {"cited"},
        "slm_energy/energy_law": {"simulated"},
        "slm_energy/answers": {"simulated"},
    }


def test_a_second_run_has_nothing_to_do(finished: Path) -> None:
    assert remade(snakemake(finished, *EXTENDED, *STAND_IN, "-n")) == set()


def test_an_edited_figure_remakes_itself_and_the_paper_alone(finished: Path, tmp_path: Path) -> None:
    file = finished / "figures/mx/qsnr.py"
    before = file.read_text(encoding="utf-8")
    try:
        file.write_text(before + "\n# edited\n", encoding="utf-8")
        assert remade(snakemake(finished, *EXTENDED, *STAND_IN, "-n")) == {"figure", "paper", "html_report", "all"}
    finally:
        file.write_text(before, encoding="utf-8")
        assert snakemake(finished, *EXTENDED, *STAND_IN, "--touch", "--cores", "1").returncode == 0


def test_an_edited_quantiser_remakes_what_rests_on_it(finished: Path) -> None:
    file = finished / "bench/formats/blocks.py"
    before = file.read_text(encoding="utf-8")
    try:
        file.write_text(before + "\n# edited\n", encoding="utf-8")
        jobs = remade(snakemake(finished, *EXTENDED, *STAND_IN, "-n"))
        assert jobs >= {"mx_qsnr", "mx_direct_cast_language", "verdicts", "figure", "table", "paper"}
        assert "resolve_input" not in jobs
    finally:
        file.write_text(before, encoding="utf-8")
        assert snakemake(finished, *EXTENDED, *STAND_IN, "--touch", "--cores", "1").returncode == 0


def test_check_says_when_nothing_is_expected_of_this_config(finished: Path) -> None:
    (finished / "paper/expected.toml").unlink(missing_ok=True)
    done = snakemake(finished, "check", *EXTENDED, *STAND_IN, "--cores", "1")
    assert done.returncode == 0
    assert "says nothing of config tiny_changed with stand-in inputs" in done.stdout


def test_check_fails_when_a_deterministic_verdict_moved(finished: Path) -> None:
    (finished / "paper/expected.toml").write_text(
        '[tiny_changed.stand-in]\n"mx.storage.mxfp4" = '
        '{ verdict = "partly", estimate = "3.7 x", interval = "[3.7, 3.7]", tier = "measured" }\n'
    )
    done = snakemake(finished, "check", *EXTENDED, *STAND_IN, "--cores", "1")
    assert done.returncode != 0
    assert "mx.storage.mxfp4: was partly, is reproduced" in done.stdout


def test_another_folder_and_one_core_give_the_same_bytes(finished: Path, tmp_path: Path) -> None:
    expected = digests(finished)
    wanted = [*(name for name in expected if name.endswith(".parquet")), *one_picture_per_study(expected)]
    assert len(wanted) > 60
    other = copy_project(tmp_path / "other")
    done = snakemake(other, *wanted, *EXTENDED, *STAND_IN, "--cores", "1")
    assert done.returncode == 0, done.stdout[-4000:]
    found = digests(other)
    assert set(found) >= set(wanted)
    assert found == {name: expected[name] for name in found}


def one_picture_per_study(names: Iterable[str]) -> list[str]:
    """A figure and a table of text of each study that has one; tests/figures draws all of them twice."""
    first: dict[tuple[str, str, str], str] = {}
    for name in sorted(name for name in names if not name.endswith(".parquet")):
        _, folder, study, _ = name.split("/")
        first.setdefault((folder, study, name.rpartition(".")[2]), name)
    return list(first.values())
