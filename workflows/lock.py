"""Make, check or install the lock: requirements.lock pins every dependency of every extra, with hashes.

    python workflows/lock.py                       # regenerate it with uv (pip install uv); pins stay if they can
    python workflows/lock.py --upgrade             # take the newest releases within the bounds of pyproject.toml
    python workflows/lock.py check                 # does it belong to pyproject.toml?
    python workflows/lock.py install meters        # install an extra, torch and the project; `run`: what `make` needs

It is the same for every platform and Python. torch and its CUDA packages have no hashes: their files depend on the kind
of accelerator and on the index, so that only torch's version is pinned. Only the standard library is needed to install.
"""

import hashlib
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCK = "requirements.lock"
AGAIN = "to make a new one: pip install uv && python workflows/lock.py"
RUN, RUN_EXTRAS = "run", ("llm", "peers")
FOR = "    # for: "
APART = re.compile(r"torch|triton|cuda-.*|nvidia-(?!ml-py).*")
PIN = re.compile(r"(?P<name>[\w.-]+)==(?P<version>[^\s;]+)")
HEADER = """\
# Every dependency of every extra, pinned and hashed; written by `python workflows/lock.py`.
# "for" names the extras that need a package; `run` is what `make` needs: the project with {run}.
# Not hashed, with its CUDA packages, because the files depend on the accelerator and the index: {torch}
# Made for: {fingerprint}
"""


class LockError(Exception):
    """The lock cannot be made, trusted or installed; the message says why in one line."""


def fingerprint(pyproject: str) -> str:
    """Hash the tables of pyproject.toml that the lock depends on."""
    tables = tomllib.loads(pyproject)
    project = tables["project"]
    read = {
        "build": tables["build-system"]["requires"],
        "python": project["requires-python"],
        "dependencies": project["dependencies"],
        "extras": project["optional-dependencies"],
    }
    return "sha256:" + hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()


def pinned(lock: str) -> dict[str, list[str]]:
    """Return the pinned requirements of `run` and of each extra: a line each, with marker and hashes."""
    pins: dict[str, list[str]] = {}
    requirement = ""
    for line in lock.replace("\\\n", " ").splitlines():
        if line.startswith(FOR):
            for name in line.removeprefix(FOR).split(", "):
                pins.setdefault(name, []).append(requirement)
            requirement = ""
        elif requirement:
            break
        elif line.strip() and not line.startswith("#"):
            requirement = " ".join(line.split())
    if requirement:
        raise LockError(f"{LOCK}: it is not said what {requirement.split()[0]} is for; {AGAIN}")
    return pins


def torch_pin(lock: str) -> str:
    """Return the version of torch that the header pins, as a requirement."""
    if not (named := re.search(r"^# Not hashed.*: (torch==\S+)$", lock, flags=re.MULTILINE)):
        raise LockError(f"{LOCK}: the header does not pin torch; {AGAIN}")
    return named[1]


def check(root: Path) -> str:
    """Return the text of the lock. Raises LockError if it was made for other dependencies or lacks a hash."""
    try:
        lock = (root / LOCK).read_text(encoding="utf-8")
    except OSError as error:
        raise LockError(f"{LOCK} cannot be read ({error.strerror}); {AGAIN}") from error
    if f"# Made for: {fingerprint((root / 'pyproject.toml').read_text(encoding='utf-8'))}\n" not in lock:
        raise LockError(f"{LOCK} was made for other dependencies than those of pyproject.toml; {AGAIN}")
    for requirement in {line: None for lines in pinned(lock).values() for line in lines}:
        if not PIN.match(requirement) or not re.search(r" --hash=sha256:[0-9a-f]{64}\b", requirement):
            raise LockError(f"{LOCK}: {requirement.split()[0]} is not pinned with a sha256; {AGAIN}")
    torch_pin(lock)
    return lock


def install(root: Path, names: Sequence[str]) -> None:
    """Install the pinned packages of `names` into the running environment, then torch and the project, editable.

    names: `run` or extras.
    """
    lock = check(root)
    pins = pinned(lock)
    if unknown := [name for name in names if name not in pins]:
        raise LockError(f"{LOCK} has nothing for {', '.join(unknown)}; it has pins for {', '.join(sorted(pins))}")
    build = [line for line in pins[RUN] if normal(line) == "setuptools"]  # builds what has no wheel
    _pip_hashed(build)
    _pip_hashed([*dict.fromkeys(line for name in names for line in pins[name])])
    _pip(torch_pin(lock))
    _pip("--no-deps", "--no-build-isolation", "--editable", str(root))


def _pip_hashed(requirements: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / LOCK
        file.write_text("\n".join(requirements) + "\n", encoding="utf-8")
        _pip("--require-hashes", "--no-deps", "--no-build-isolation", "--requirement", str(file))


def _pip(*arguments: str) -> None:
    """Run pip install. Raises LockError with the gist of its message if it fails."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, stderr=subprocess.PIPE, encoding="utf-8", errors="replace", check=False)
    if done.returncode:
        raise LockError(gist(done.stderr))


def gist(said: str) -> str:
    """Return one line of what pip said before it failed, and what to do."""
    if "DO NOT MATCH THE HASHES" in said:
        wrong = re.search(r"^ {4}(\S.*?)(?: from .*)?:?$", said, flags=re.MULTILINE)
        where = wrong[1] if wrong else "a package"
        return f"{LOCK}: {where} has another sha256 than the lock: do not use that file; where it is right, {AGAIN}"
    errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.lower().startswith("error: ")]
    return f"pip could not install what {LOCK} pins: {errors[-1] if errors else 'it gave no reason'}"


def make(root: Path, options: Sequence[str]) -> None:
    """Resolve the dependencies with uv and write the lock. options: further ones of `uv pip compile`."""
    tables = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    extras = {RUN: RUN_EXTRAS, **{extra: (extra,) for extra in tables["project"]["optional-dependencies"]}}
    with tempfile.TemporaryDirectory() as folder:
        requires = "\n".join(tables["build-system"]["requires"])
        (Path(folder) / "build.in").write_text(f"{requires}\n", encoding="utf-8")
        pins = Path(folder) / "pins.txt"  # uv keeps the versions of the file that it is to write
        if (root / LOCK).is_file() and not options:
            text = (root / LOCK).read_text(encoding="utf-8")
            pins.write_text(f"{text}\n{torch_pin(text)}\n", encoding="utf-8")
        everything = compiled(root, Path(folder), pins, ["--all-extras", *options])
        needs = {
            name: compiled(root, Path(folder), pins, [f"--extra={extra}" for extra in theirs])
            for name, theirs in extras.items()
        }
    torch = PIN.match(everything["torch"])
    assert torch
    text = HEADER.format(
        run=" and ".join(RUN_EXTRAS),
        torch=torch[0],
        fingerprint=fingerprint((root / "pyproject.toml").read_text(encoding="utf-8")),
    )
    for package, requirements in everything.items():
        if not APART.fullmatch(package):
            wanting = ", ".join(name for name in needs if package in needs[name])
            text += requirements.replace("\0", f"{FOR}{wanting}\n")
    (root / LOCK).write_text(text, encoding="utf-8")
    print(f"{LOCK}: {', '.join(f'{name} {len(lines)}' for name, lines in pinned(text).items())}; {torch[0]} apart")


def compiled(root: Path, folder: Path, pins: Path, options: Sequence[str]) -> dict[str, str]:
    """Return the pins for some extras by package, as the lock holds them, each with "\\0" where it says what it is for;
    a package may have several, by marker."""
    command = ["uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-header", "--no-annotate"]
    command += ["--no-emit-index-url", "--no-emit-find-links", "--python-version", "3.11", *options]
    command += ["pyproject.toml", str(folder / "build.in"), "--output-file", str(pins)]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, encoding="utf-8", errors="replace", check=False)
    except FileNotFoundError as error:
        raise LockError(f"uv, which makes {LOCK}, is not installed: pip install uv") from error
    if done.returncode:
        raise LockError(f"uv could not make {LOCK}: {' '.join(done.stderr.split())}")
    return dict(_by_name(pins.read_text(encoding="utf-8")))


def _by_name(text: str) -> Iterator[tuple[str, str]]:
    by_name: dict[str, str] = {}
    for requirement in re.findall(r"^\S+==.*\n(?: .*\n)*", text, flags=re.MULTILINE):
        by_name[normal(requirement)] = by_name.get(normal(requirement), "") + f"{requirement}\0"
    yield from by_name.items()


def normal(requirement: str) -> str:
    """Return the name that a requirement begins with, as package indexes normalise it."""
    named: Any = re.match(r"[\w.-]+", requirement)
    return re.sub(r"[-_.]+", "-", named[0]).lower()


def main(words: Sequence[str]) -> None:
    if words[:1] == ["check"] and not words[1:]:
        check(ROOT)
    elif words[:1] == ["install"] and words[1:]:
        install(ROOT, words[1:])
    elif set(words) <= {"--upgrade"}:
        make(ROOT, words)
    else:
        raise LockError(f"lock.py {' '.join(words)}: nothing, --upgrade, check, or install and extras are expected")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except LockError as error:
        print(f"lock: {error}", file=sys.stderr)
        sys.exit(1)
