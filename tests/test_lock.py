"""The lock pins what pyproject.toml declares, and one that does not match is refused in one line."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from workflows.lock import LOCK, PIN, LockError, check, gist, install, make, normal, pinned, torch_pin

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
TEXT = (ROOT / LOCK).read_text(encoding="utf-8")


def declared(*extras):
    """List the requirements of the project with some extras; an extra that names others brings theirs."""
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])]
    requirements = [Requirement(line) for line in lines]
    theirs = [name for requirement in requirements if requirement.name == "jouleproof" for name in requirement.extras]
    return [
        *(requirement for requirement in requirements if requirement.name != "jouleproof"),
        *(declared(*theirs) if theirs else []),
    ]


def pins(*names):
    """Return the versions that the lock pins for some names, or for all, by package."""
    lines = [line for name in names or pinned(TEXT) for line in pinned(TEXT)[name]]
    matches = [PIN.match(line) for line in [*lines, torch_pin(TEXT)]]
    return {normal(match["name"]): match["version"] for match in matches}


def test_the_lock_belongs_to_pyproject():
    assert check(ROOT) == TEXT
    assert re.search(r"https?:|file:|--(extra-)?index|--find-links", TEXT) is None


@pytest.mark.parametrize(
    ("name", "extras"), [("run", ["llm", "peers"]), *((extra, [extra]) for extra in EXTRAS)], ids=["run", *EXTRAS]
)
def test_every_declared_requirement_is_satisfied_by_a_pin(name, extras):
    versions = pins(name)
    requirements = [*declared(*extras), *map(Requirement, PYPROJECT["build-system"]["requires"])]
    absent = [str(line) for line in requirements if versions.get(normal(line.name), "") not in line.specifier]
    assert absent == []


def test_every_requirement_has_a_lower_and_an_upper_bound():
    lines = [*declared(*EXTRAS), *map(Requirement, PYPROJECT["build-system"]["requires"])]
    bounds = {str(line): {clause.operator for clause in line.specifier} for line in lines}
    assert [line for line, operators in bounds.items() if operators != {">=", "<"}] == []


def test_everything_that_is_needed_here_is_pinned_and_installed_in_that_version():
    versions, seen, rest = pins(), {}, declared(*EXTRAS)
    while rest:
        requirement = rest.pop()
        key = normal(requirement.name), *sorted(requirement.extras)
        if key in seen or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        try:
            seen[key] = version(requirement.name).partition("+")[0]
        except PackageNotFoundError:  # of an extra that is not installed
            continue
        for line in map(Requirement, requires(requirement.name) or []):
            if not line.marker or any(line.marker.evaluate({"extra": extra}) for extra in ["", *requirement.extras]):
                line.marker = None
                rest.append(line)
    wrong = {
        name: installed
        for (name, *_), installed in seen.items()
        if versions.get(name) != installed and not name.startswith(("cuda-", "nvidia-", "triton"))
    }
    assert len(seen) > 50 and wrong == {}


@pytest.fixture
def project(tmp_path):
    """Make a folder with what the installation reads of the project."""
    (tmp_path / "workflows").mkdir()
    for name in ("Makefile", "pyproject.toml", LOCK, "workflows/lock.py"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("pyproject.toml", '"numba>=0.68', '"numba>=0.60', "was made for other dependencies than those of pyproject"),
        (LOCK, "--hash=sha256:", "--hash=md5:", "accelerate==1.15.0 is not pinned with a sha256"),
        (LOCK, "    # for: run, llm, test\n", "", "it is not said what accelerate==1.15.0 is for"),
        (LOCK, ": torch==", ": flax==", "the header does not pin torch"),
    ],
    ids=["older than pyproject.toml", "no hash", "not for anything", "no torch"],
)
def test_a_lock_that_does_not_match_stops_make_before_anything_is_installed(project, file, old, new, message):
    edit(project / file, old, new)
    if "hash" in new:  # all of the package's
        text = (project / LOCK).read_text(encoding="utf-8")
        (project / LOCK).write_text(re.sub(r"(?s)(?<=0 \\\n)(    --hash=\S+ ?\\?\n)+", new + "\n", text, count=1))
    done = subprocess.run(
        ["make", "setup", f"PYTHON={sys.executable}"], cwd=project, capture_output=True, text=True, check=False
    )
    ours = [line for line in done.stderr.splitlines() if not re.match(r"make(\[\d+\])?: ", line)]
    assert done.returncode and len(ours) == 1 and ours[0].startswith(f"lock: {LOCK}") and message in ours[0]
    assert "python workflows/lock.py" in ours[0] and not (project / ".venv").exists()


def test_a_lock_that_is_not_there_or_has_no_such_extra_is_named(project):
    with pytest.raises(LockError, match=f"{LOCK} has nothing for tests; it has pins for aiconfigurator, .*, run, test"):
        install(project, ["tests"])
    (project / LOCK).unlink()
    with pytest.raises(LockError, match=f"{LOCK} cannot be read .*to make a new one: pip install uv"):
        check(project)


@pytest.fixture
def tiny(project, tmp_path, monkeypatch):
    """Return the wheel of the only package that pip can have."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    wheel, metadata = shelf / "tiny_thing-1-py3-none-any.whl", "tiny_thing-1.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{metadata}/METADATA", "Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1\n")
        archive.writestr(f"{metadata}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{metadata}/RECORD", "")
    settings = {"CONFIG_FILE": os.devnull, "NO_INDEX": "1", "FIND_LINKS": str(shelf), "TARGET": str(tmp_path / "out")}
    for name, value in settings.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    return wheel


def locked(project, sha256):
    text = TEXT.partition("accelerate==")[0] + f"tiny-thing==1 \\\n    --hash=sha256:{sha256}\n    # for: run\n"
    (project / LOCK).write_text(text, encoding="utf-8")


def test_a_file_with_another_hash_is_refused_in_one_line(project, tiny):
    locked(project, "0" * 64)
    with pytest.raises(LockError, match=rf"{LOCK}: tiny-thing==1 has another sha256 than the lock: ") as raised:
        install(project, ["run"])
    assert "\n" not in str(raised.value) and not (project / "out/tiny_thing-1.dist-info").exists()


def test_a_file_with_the_right_hash_is_installed_and_a_torch_that_cannot_be_had_is_named(project, tiny):
    locked(project, hashlib.sha256(tiny.read_bytes()).hexdigest())
    with pytest.raises(LockError, match=r"pip could not install .*: No matching distribution found for torch=="):
        install(project, ["run"])
    assert (project / "out/tiny_thing-1.dist-info").is_dir()


def test_the_gist_of_what_pip_says_is_its_last_error():
    said = "WARNING: slow\nERROR: Could not find a version\nERROR: No matching distribution found for a==1\n"
    assert gist(said).endswith(": No matching distribution found for a==1")
    assert gist("") == f"pip could not install what {LOCK} pins: it gave no reason"


def test_the_lock_cannot_be_made_without_uv(project, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(LockError, match="uv, which makes .*, is not installed: pip install uv"):
        make(project, [])
    assert (project / LOCK).read_text(encoding="utf-8") == TEXT
