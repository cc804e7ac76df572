"""Which files a command is made of: what a rule names as its code."""

import re
from pathlib import Path

import pytest

from jouleproof import sources as room
from jouleproof.sources import ROOT, sources

WORKFLOWS = [ROOT / "Snakefile", *sorted((ROOT / "workflows").glob("*.smk"))]
MODULES_IN_RULES = sorted(
    {
        name
        for path in WORKFLOWS
        for name in re.findall(r'"((?:bench|figures)\.[\w.]+)"', path.read_text(encoding="utf-8"))
    }
)
BENCH_MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "bench").rglob("*.py")
)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A function that writes modules, with a package around each, where sources looks for them."""
    monkeypatch.setattr(room, "ROOT", tmp_path)
    for cached in (room._file, room._imports):
        cached.cache_clear()
        monkeypatch.setattr(room, cached.__name__, cached.__wrapped__)

    def write(**modules):
        for name, code in modules.items():
            path = tmp_path.joinpath("bench", *name.split("__")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            for folder in path.parents:
                if folder == tmp_path:
                    break
                (folder / "__init__.py").touch()
            path.write_text(code, encoding="utf-8")

    return write


def names(*modules):
    return [path.removeprefix("bench/") for path in sources(*modules) if not path.endswith("__init__.py")]


def test_a_module_is_made_of_itself_and_the_packages_around_it(project):
    project(inner__a="x = 1\n")
    assert sources("bench.inner.a") == ["bench/__init__.py", "bench/inner/__init__.py", "bench/inner/a.py"]


@pytest.mark.parametrize(
    "code",
    [
        "import bench.b\n",
        "import bench.b as other\n",
        "from bench.b import thing\n",
        "from bench import b\n",
        "from bench import nothing, b\n",
        "def run():\n    from bench import b\n",
        "def run():\n    import bench.b\n",
        "class A:\n    def run(self):\n        if True:\n            from bench.b import thing\n",
        "try:\n    from bench.b import thing\nexcept ImportError:\n    thing = None\n",
    ],
)
def test_an_import_is_followed_wherever_and_however_it_is_written(project, code):
    project(a=code, b="thing = 1\n")
    assert names("bench.a") == ["a.py", "b.py"]


def test_imports_of_imports_are_followed(project):
    project(a="import bench.b\n", b="import bench.c\n", c="")
    assert names("bench.a") == ["a.py", "b.py", "c.py"]


def test_a_circle_of_imports_ends(project):
    project(a="import bench.b\n", b="import bench.a\n")
    assert names("bench.a") == ["a.py", "b.py"]


def test_what_a_packages_init_imports_is_followed(project, tmp_path):
    project(inner__a="", b="")
    (tmp_path / "bench" / "inner" / "__init__.py").write_text("from bench import b\n")
    assert names("bench.inner.a") == ["b.py", "inner/a.py"]


def test_other_peoples_modules_and_those_that_no_one_imports_are_left_out(project):
    project(a="import json, os.path\nfrom numpy import array\n", b="")
    assert names("bench.a") == ["a.py"]


def test_several_modules_are_named_once_each_in_order(project):
    project(a="import bench.c\n", b="import bench.c\n", c="")
    assert names("bench.b", "bench.a") == ["a.py", "b.py", "c.py"]


@pytest.mark.parametrize("module", ["bench.nowhere", "nowhere", "json"])
def test_a_module_that_is_not_of_the_project_is_an_error_that_names_it(module):
    with pytest.raises(ValueError, match=f"module {module} is not in bench, figures"):
        sources(module)


def test_no_module_of_the_project_imports_by_a_relative_name_that_would_be_missed():
    """sources does not follow `from . import x`."""
    files = [path for package in room.PACKAGES for path in (ROOT / package).rglob("*.py")]
    assert [path for path in files if re.search(r"^\s*from \.", path.read_text(encoding="utf-8"), re.MULTILINE)] == []


def test_the_rules_name_modules():
    assert {"jouleproof.study", "jouleproof.studies.mx.experiments.qsnr", "jouleproof.drawing.draw"} <= set(
        MODULES_IN_RULES
    )


@pytest.mark.parametrize("module", MODULES_IN_RULES)
def test_every_module_that_a_rule_names_has_its_files(module):
    assert all((ROOT / path).is_file() for path in sources(module))


def test_a_figure_is_among_the_sources_of_no_benchmark():
    assert [path for path in sources(*BENCH_MODULES) if path.startswith("figures/")] == []


def test_an_edited_experiment_reaches_no_figure_but_through_its_table():
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in (ROOT / "figures").rglob("*.py")]
    studies = {"mx", "phase_split", "placement", "slm_energy", "formats", "models", "inputs"}
    assert [
        path for path in sources(*modules) if Path(path).parts[:1] == ("bench",) and Path(path).parts[1] in studies
    ] == []


def test_one_experiment_is_not_among_the_sources_of_another():
    assert "bench/mx/experiments/direct_cast.py" not in sources(
        "jouleproof.studies.mx.experiments.qsnr", "jouleproof.study"
    )
