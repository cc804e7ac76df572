"""The whole pipeline in the tiny config, on generated problems, with one of everything that a user may add."""

import hashlib
import importlib.util
import json
from collections.abc import Iterable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from jouleproof.drawing.registry import registry
from jouleproof.study import built_in_studies, find_study
from tests.pictures import FIGURES
from tests.pipeline.conftest import Finished

pytestmark = [pytest.mark.pipeline, pytest.mark.long]
ADDED = "tests.extension_example.rotation"
STUDIES = {study.name: study for study in built_in_studies()}
PICTURES = {**FIGURES, **registry({"rotation": find_study(ADDED).figures})}


def digests(results: Path) -> dict[str, str]:
    """Return the SHA-256 of every table, figure and table of text without timings; verdicts and paper show timings."""
    timed = {
        path.relative_to(results).as_posix().removesuffix(".provenance.json")
        for path in results.glob("*/*.provenance.json")
        if json.loads(path.read_text(encoding="utf-8"))["timed"]
    }
    steady = {
        f"{folder}/{name}"
        for name, figure in PICTURES.items()
        for folder in ("figures", "tables")
        if not timed & set(figure.sources)
    }
    files = [
        *(
            path
            for study in (*STUDIES, "rotation")
            for path in results.glob(f"{study}/*.parquet")
            if f"{study}/{path.stem}" not in timed
        ),
        *(path for name in steady for path in results.glob(f"{name}.*")),
    ]
    return {str(path.relative_to(results)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_every_figure_table_and_page_is_made(finished: Finished) -> None:
    results = finished.results
    for name, figure in PICTURES.items():
        folder, suffixes = (
            ("figures", ("pdf", "svg", "png")) if figure.kind == "figure" else ("tables", ("csv", "tex", "html"))
        )
        for suffix in suffixes:
            assert (results / folder / f"{name}.{suffix}").stat().st_size > 100
    assert (results / "paper.pdf").read_bytes().startswith(b"%PDF")
    assert (results / "appendix.pdf").read_bytes().startswith(b"%PDF")
    assert "<html" in (results / "report.html").read_text(encoding="utf-8")[:2000].lower()


def test_every_claim_has_its_row(finished: Finished) -> None:
    rows = json.loads((finished.results / "verdicts.json").read_text(encoding="utf-8"))
    assert len({row["id"] for row in rows if row["area"] != "rotation"}) == 55
    ran = [row for row in rows if row["verdict"] != "not yet run"]
    assert {row["id"] for row in ran} >= {"mx.storage.mxfp4", "mx.inference.mxfp4"}


def test_what_a_user_adds_is_in_tables_figures_and_verdicts_by_its_name_alone(finished: Finished) -> None:
    def seen(table: str, column: str) -> set[str]:
        return set(pq.read_table(finished.results / f"{table}.parquet")[column].to_pylist())

    assert "e3m4" in seen("mx/qsnr", "format") and "unit_scale" in seen("mx/qsnr", "scale")
    assert "h100_h20" in seen("phase_split/capacity", "design")
    assert "MEDIAN" in seen("placement/hosting", "information") and "FLAT" in seen("placement/hosting", "rule")
    assert "MINE" in seen("placement/policies", "policy") and "largest" in seen("placement/prediction", "predictor")
    assert "bigram" in seen("slm_energy/quality", "model") and "question_marks" in seen("slm_energy/quality", "task")
    assert "plug" in seen("slm_energy/meter_audit", "mode")
    tables = finished.results / "tables"
    assert "bigram" in (tables / "slm_energy/quality_numbers.csv").read_text(encoding="utf-8")
    assert "e3m4" in (tables / "mx/formats.csv").read_text(encoding="utf-8")
    assert (finished.results / "figures/rotation/gain.svg").stat().st_size > 1000
    rows = json.loads((finished.results / "verdicts.json").read_text(encoding="utf-8"))
    (row,) = [row for row in rows if row["area"] == "rotation"]
    assert (row["id"], row["verdict"], row["figure"]) == ("rotation.outliers", "reproduced", "rotation/gain")
    assert "rotation.outliers" in (tables / "verdicts.csv").read_text(encoding="utf-8")
    assert b"Rotation before a cast" in (finished.results / "report.html").read_bytes()


def test_the_notebooks_run_where_their_extra_is_installed(finished: Finished) -> None:
    done = finished.snakemake("notebooks", "--cores", "2")
    absent = [name for name in ("jupytext", "nbclient", "ipykernel") if importlib.util.find_spec(name) is None]
    if absent:
        assert (
            done.returncode != 0
            and f"notebooks: {', '.join(absent)} not installed; run: python workflows/lock.py" in done.stdout
        )
        pytest.skip(f"{', '.join(absent)} not installed")
    assert done.returncode == 0, done.stdout[-4000:]
    for study in STUDIES:
        cells = json.loads((finished.results / f"notebooks/{study}.ipynb").read_text(encoding="utf-8"))["cells"]
        outputs = [output for cell in cells if cell["cell_type"] == "code" for output in cell["outputs"]]
        assert {"image/png", "text/html"} <= {kind for output in outputs for kind in output.get("data", {})}
        assert not [output for output in outputs if output["output_type"] == "stream"]


def test_a_stand_in_is_named_in_verdict_provenance_and_figure(finished: Finished) -> None:
    rows = {row["id"]: row for row in json.loads((finished.results / "verdicts.json").read_text(encoding="utf-8"))}
    assert "gsm8k_test is a stand-in" in rows["mx.inference.mxint8"]["flags"]
    assert not any("stand-in" in flag for flag in rows["mx.storage.mxfp4"]["flags"])
    provenance = json.loads((finished.results / "mx/direct_cast_language.provenance.json").read_text(encoding="utf-8"))
    assert provenance["inputs"]["gsm8k_test"]["origin"] == "stand-in"
    assert "stand-in used for gsm8k_test" in (finished.results / "tables/mx/direct_cast_numbers.html").read_text()


def test_every_verdict_of_the_tiny_config_says_that_it_decides_nothing(finished: Finished) -> None:
    rows = json.loads((finished.results / "verdicts.json").read_text(encoding="utf-8"))
    flags = [row["flags"] for row in rows if row["verdict"] != "not yet run"]
    assert all("the tiny config is too small to decide anything" in of_row for of_row in flags)


def test_a_part_of_the_run_and_a_dry_run_leave_the_report_whole(finished: Finished) -> None:
    report = (finished.results / "report.html").read_bytes()
    for arguments in (("results/mx/qsnr.parquet",), ("-n",)):
        assert finished.snakemake(*arguments, "--cores", "1").returncode == 0
    assert (finished.results / "report.html").read_bytes() == report
    assert b"The verdicts, claim by claim" in report


def test_every_experiment_leaves_a_table_that_says_its_tier(finished: Finished) -> None:
    tiers = {
        f"{study}/{path.stem}": set(pq.read_table(path)["tier"].to_pylist())
        for study in STUDIES
        for path in (finished.results / study).glob("*.parquet")
    }
    assert set(tiers) == {f"{study}/{name}" for study in STUDIES for name in STUDIES[study].experiments}
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


def test_check_says_when_nothing_is_expected_of_this_config(finished: Finished) -> None:
    (finished.home / "paper/expected.toml").unlink(missing_ok=True)
    done = finished.snakemake("check", "--cores", "1")
    assert done.returncode == 0
    assert "has no verdicts for config tiny_changed; nothing to compare" in done.stdout


def test_check_fails_when_a_deterministic_verdict_moved(finished: Finished) -> None:
    (finished.home / "paper/expected.toml").write_text(
        '[tiny_changed.real]\n"mx.storage.mxfp4" = '
        '{ verdict = "partly", estimate = "3.7 x", interval = "[3.7, 3.7]", tier = "measured" }\n'
    )
    done = finished.snakemake("check", "--cores", "1")
    assert done.returncode != 0
    assert "mx.storage.mxfp4: was partly, is reproduced" in done.stdout


def test_another_folder_and_one_core_give_the_same_bytes(finished: Finished, tmp_path: Path) -> None:
    expected = digests(finished.results)
    wanted = [*(name for name in expected if name.endswith(".parquet")), *one_picture_per_study(expected)]
    assert len(wanted) > 60
    repeated = again(finished, tmp_path, wanted)
    assert set(repeated) >= set(wanted)
    assert repeated == {name: expected[name] for name in repeated}


def again(finished: Finished, folder: Path, wanted: list[str]) -> dict[str, str]:
    """Return the digests of what a run of these targets on one core makes in another folder."""
    other = Finished.__new__(Finished)
    other.home, other.folder = finished.home, folder
    if wanted:
        done = other.snakemake(*(f"results/{name}" for name in wanted), "--cores", "1")
        assert done.returncode == 0, done.stdout[-4000:]
    return digests(other.results)


def one_picture_per_study(names: Iterable[str]) -> list[str]:
    """Return a figure and a table of text of each study that has one; tests/figures draws all of them twice."""
    first: dict[tuple[str, str, str], str] = {}
    for name in sorted(name for name in names if not name.endswith(".parquet")):
        folder, study, _ = name.split("/")
        first.setdefault((folder, study, name.rpartition(".")[2]), name)
    return list(first.values())
