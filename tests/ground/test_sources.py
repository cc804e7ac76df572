"""The files that an object depends on, which a rule lists as its code."""

from pathlib import Path

import pytest

from jouleproof import sources as sources_module
from jouleproof.sources import sources
from jouleproof.study import built_in_studies

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "bench" / "jouleproof"


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Return a function that writes modules of a package `pack`, and one that names the files that objects depend
    on."""
    for cached in (sources_module._path, sources_module._described, sources_module._uses, sources_module._files):
        cached.cache_clear()
        monkeypatch.setattr(sources_module, cached.__name__, cached.__wrapped__)
    monkeypatch.syspath_prepend(str(tmp_path))

    def made_of(*names, **modules):
        for name, code in modules.items():
            path = tmp_path.joinpath("pack", *name.replace("FACE", "__init__").split("_of_")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(code, encoding="utf-8")
        return [Path(path).relative_to(tmp_path / "pack").as_posix() for path in sources(*names)]

    return made_of


@pytest.mark.parametrize(
    "code",
    [
        "from pack.b import thing\ndef f():\n    return thing\n",
        "from pack import b\ndef f():\n    return b.thing\n",
        "from pack import b\ndef f():\n    return use(b)\n",
        "import pack.b\ndef f():\n    return pack.b.thing\n",
        "from . import b\ndef f():\n    return b.thing\n",
        "from .b import thing as other\nTABLE = {'x': other}\ndef f():\n    return TABLE['x']\n",
        "def f():\n    from pack.b import thing\n    return thing\n",
        "class A:\n    def run(self):\n        from pack.b import thing\n        thing()\ndef f():\n    A()\n",
        "try:\n    from pack.b import thing\nexcept ImportError:\n    thing = None\ndef f():\n    return thing\n",
        "from pack.b import thing\nthing()\ndef f():\n    return 1\n",
        "from pack.b import thing\n@thing\ndef f():\n    return 1\n",
        "from pack.b import thing\ndef f(x=thing):\n    return x\n",
    ],
)
def test_what_an_object_uses_is_followed_wherever_and_however_it_is_imported(files, code):
    assert files("pack.a:f", a=code, b="thing = 1\n") == ["a.py", "b.py"]


def test_what_an_object_does_not_use_is_left_out(files):
    code = (
        "import json\nfrom typing import TYPE_CHECKING\nfrom pack.b import thing, other\n"
        "if TYPE_CHECKING:\n    from pack.c import Type\n"
        "def f(other: 'Type', x: other = 1) -> thing:\n    return json.dumps(other)\ndef g():\n    return thing\n"
    )
    assert files("pack.a:f", a=code, b="thing = other = 1\n", c="") == ["a.py"]
    assert files("pack.a:g") == ["a.py", "b.py"]
    assert files("pack.a") == ["a.py", "b.py"]


def test_an_import_through_a_packages_face_leads_to_the_module_that_defines_the_name(files):
    face = "from pack.inner.heavy import slow\nfrom pack.inner.light import quick\nimport pack.c\n"
    code = "from pack.inner import quick\ndef f():\n    return quick\n"
    modules = {
        "inner_of_FACE": face,
        "inner_of_heavy": "slow = 1\n",
        "inner_of_light": "quick = 1\n",
        "c": "",
        "a": code,
    }
    assert files("pack.a:f", **modules) == ["a.py", "inner/light.py"]


def test_imports_of_imports_are_followed_and_a_circle_ends(files):
    a = "from pack.b import g\ndef f():\n    return g\n"
    b = "from pack.c import h\ndef g():\n    return h\n"
    c = "def h():\n    from pack.a import f\n    return f\n"
    assert files("pack.a:f", a=a, b=b, c=c) == ["a.py", "b.py", "c.py"]


def test_a_text_that_names_a_file_beside_the_module_makes_it_a_part(files, tmp_path):
    (tmp_path / "pack" / "facts").mkdir(parents=True)
    (tmp_path / "pack" / "facts" / "table.csv").touch()
    (tmp_path / "pack" / "other.csv").touch()
    code = "FACTS = HERE / 'facts' / 'table.csv'\ndef f():\n    return FACTS\ndef g():\n    'reads other.csv not'\n"
    assert files("pack.a:f", a=code) == ["a.py", "facts/table.csv"]
    assert files("pack.a:g") == ["a.py"]


def test_a_text_that_names_a_module_of_the_project_is_followed():
    files = sources("jouleproof.studies.mx.experiments.wire:wire")
    assert str(PROJECT / "studies/mx/wire_rank.py") in files
    assert str(PROJECT / "studies/mx/micro/casts.py") in sources(
        "jouleproof.studies.mx.experiments.throughput:throughput"
    )


@pytest.mark.parametrize("module", ["jouleproof.nowhere", "nowhere", "nowhere.inner:f"])
def test_a_module_that_is_not_there_is_an_error_that_names_it(module):
    with pytest.raises(ValueError, match=f"no module {module.partition(':')[0]}"):
        sources(module)


def of(study, name):
    (built_in,) = [one for one in built_in_studies() if one.name == study]
    return {
        Path(path).relative_to(PROJECT).as_posix()
        for path in sources(built_in.object_name(built_in.experiments[name].function))
    }


def test_a_compiled_kernel_is_code_of_what_computes_with_it_and_of_no_simulation():
    kernels = {"formats/compiled/simd.py", "formats/compiled/quantizer.py"}
    assert [name for name in ("qsnr", "silicon", "direct_cast_language", "training") if kernels - of("mx", name)] == []
    simulations = [("phase_split", name) for name in ("headlines", "capacity", "beyond", "service_energy", "week")]
    simulations += [("placement", name) for name in ("hosting", "leakage", "policies")]
    assert [pair for pair in simulations if any("compiled" in path for path in of(*pair))] == []
    event_loop = {"loop.py", "batching.py", "records.py"}
    assert {f"serving/simulator/event_loop/{name}" for name in event_loop} <= of("phase_split", "headlines")


def test_one_experiment_and_the_shape_of_the_config_are_not_code_of_another():
    files = of("mx", "qsnr")
    assert not {"studies/mx/experiments/direct_cast.py", "studies/mx/config.py", "studies/mx/recipes.py"} & files
    assert "studies/mx/registry.py" in files


def test_facts_are_code_of_what_reads_them():
    assert "studies/slm_energy/facts/cards.toml" in of("slm_energy", "cards")
    assert "studies/mx/accelerators.toml" in of("mx", "peak_rates")
    assert "serving/simulator/facts/profile_cells.csv" in of("phase_split", "headlines")


def test_an_edited_experiment_reaches_no_figure_but_through_its_table():
    figures = sorted((ROOT / "figures").rglob("*.py"))
    assert len(figures) > 90
    files = {Path(path) for path in sources(*map(str, figures))}
    assert [path for path in files if path.is_relative_to(PROJECT / "studies")] == []
