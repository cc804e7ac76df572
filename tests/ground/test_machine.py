"""Facts of the machine, on made-up systems and on this one."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from jouleproof.measure import machine as facts
from jouleproof.measure.machine import blas, container, gpus, machine, processor_flags

X86 = """processor\t: 0
model name\t: Made Up 9
flags\t\t: fpu sse2 smep sme fma f16c avx2 avx512_bf16 avx512f amx_tile

processor\t: 1
model name\t: Second
flags\t\t: fpu
"""
ARM = "processor\t: 0\nBogoMIPS\t: 243.75\nFeatures\t: fp asimd asimddp sve sve2 bf16 i8mm crc32\n"


@pytest.fixture
def fresh(monkeypatch):
    """Look up the facts of the machine again, and forget them after the test."""
    monkeypatch.setattr(facts, "machine", facts.machine.__wrapped__)
    return lambda: facts.machine()


def cpuinfo(monkeypatch, tmp_path, text):
    path = tmp_path / "cpuinfo"
    path.write_text(text)
    monkeypatch.setattr(facts, "CPUINFO", path)


def nvidia_smi(monkeypatch, tmp_path, script):
    """Put a tool of that name on an otherwise empty PATH."""
    tool = tmp_path / "bin/nvidia-smi"
    tool.parent.mkdir()
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}")


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        (X86, ["amx_tile", "avx2", "avx512_bf16", "avx512f", "f16c", "fma"]),
        (ARM, ["asimd", "asimddp", "bf16", "i8mm", "sve", "sve2"]),
        ("processor\t: 0\nflags\t: fpu\n", []),
        ("processor\t: 0\n", None),
        ("", None),
    ],
    ids=["x86", "arm", "an old processor", "no flags", "an empty file"],
)
def test_the_flags_are_the_instruction_sets_that_kernels_are_chosen_by(fresh, monkeypatch, tmp_path, text, flags):
    cpuinfo(monkeypatch, tmp_path, text)
    assert fresh()["flags"] == flags


def test_the_first_processor_counts(fresh, monkeypatch, tmp_path):
    cpuinfo(monkeypatch, tmp_path, X86)
    assert fresh()["processor"] == "Made Up 9"
    assert processor_flags({}) is None


def test_a_system_that_reports_nothing_gives_null_and_no_error(fresh, monkeypatch, tmp_path):
    def fails(*_, **__):
        raise RuntimeError("nothing here")

    monkeypatch.setattr(facts, "CPUINFO", tmp_path / "absent")
    monkeypatch.setattr(facts, "GOVERNOR", tmp_path / "absent")
    monkeypatch.setattr(facts, "cache_bytes", dict)
    for name in ("gpus", "container"):
        monkeypatch.setattr(facts, name, fails)
    monkeypatch.setattr(facts, "psutil", SimpleNamespace(cpu_count=fails, virtual_memory=fails))
    read = fresh()
    nulls = ("flags", "cache_bytes", "governor", "gpus", "container", "memory_bytes")
    assert [read[name] for name in nulls] == [None] * len(nulls)
    assert read["processor"] and read["cores"]


def test_the_governor_is_what_the_system_says(fresh, monkeypatch, tmp_path):
    (tmp_path / "governor").write_text("performance\n")
    monkeypatch.setattr(facts, "GOVERNOR", tmp_path / "governor")
    assert fresh()["governor"] == "performance"


def test_gpus_are_listed_with_their_driver(monkeypatch, tmp_path):
    nvidia_smi(monkeypatch, tmp_path, 'echo "NVIDIA H200, 570.1"; echo "NVIDIA A, B, 570.1"')
    assert gpus() == [{"name": "NVIDIA H200", "driver": "570.1"}, {"name": "NVIDIA A, B", "driver": "570.1"}]


def test_without_the_tool_there_is_no_gpu(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpus() == []


@pytest.mark.parametrize("script", ["exit 9", "exec /bin/sleep 30", "printf '\\377'"])
def test_a_tool_that_fails_hangs_or_prints_rubbish_gives_null(fresh, monkeypatch, tmp_path, script):
    nvidia_smi(monkeypatch, tmp_path, script)
    monkeypatch.setattr(facts, "GPU_TIMEOUT_S", 0.2)
    assert fresh()["gpus"] is None


@pytest.mark.parametrize(
    ("files", "environment", "kind"),
    [
        ([], {}, None),
        ([".dockerenv"], {}, "docker"),
        (["run/.containerenv"], {}, "podman"),
        ([".dockerenv", "run/.containerenv"], {}, "podman"),
        ([".dockerenv"], {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "kubernetes"),
        ([], {"APPTAINER_NAME": "a.sif"}, "apptainer"),
        ([], {"SINGULARITY_NAME": "a.sif", "KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "apptainer"),
    ],
)
def test_the_marks_of_a_container_say_of_which_kind_it_is(tmp_path, files, environment, kind):
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert container(tmp_path, environment) == kind


def test_the_library_of_numpy_is_named_with_its_threads():
    import numpy

    described = blas()["numpy"]
    assert described is not None and set(described) == {"name", "version", "threads", "kernels"}
    assert described["name"] == numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]


def test_what_was_not_imported_is_not_imported_to_be_described():
    code = (
        "import json, sys; from jouleproof.measure.machine import blas, machine;"
        "print(json.dumps([blas(), machine()['gpus'] is None, sorted({'numpy', 'torch'} & set(sys.modules))]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    described, _, imported = json.loads(done.stdout)
    assert (described, imported) == ({"numpy": None, "torch": None}, [])


def test_torch_is_described_with_the_threads_that_it_uses():
    code = (
        "import json, torch; torch.set_num_threads(1); from jouleproof.measure.machine import blas;"
        "print(json.dumps(blas()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    described = json.loads(done.stdout)["torch"]
    assert described["name"] and described["threads"] == 1


def test_a_library_that_cannot_be_described_is_null_or_partly_so(monkeypatch):
    import numpy

    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(__file__="torch/__init__.py"))
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    described = blas()
    assert described["torch"] is None and numpy is sys.modules["numpy"]
    assert described["numpy"] is not None and described["numpy"]["threads"] is None


def test_facts_are_looked_up_once_and_are_json():
    assert machine() is machine()
    assert json.loads(json.dumps(machine(), allow_nan=False)) == machine()


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="needs /proc/cpuinfo")
def test_this_machine_has_a_name_and_flags():
    assert machine()["processor"] and isinstance(machine()["flags"], list)
