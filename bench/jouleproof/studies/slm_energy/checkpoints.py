"""Runs of courses on disk: safetensors, written whole or not at all, found by a hash of all that decides their bits."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from jouleproof.errors import UserError
from jouleproof.files import atomic
from jouleproof.sources import ROOT, sources
from jouleproof.studies.slm_energy.training_runs import Course, Run, begun, steps_of

CURVE, PARTS = "curve", ("weights", "means", "squares")


def trained(course: Course, folder: Path, at_mark: Callable[[Course, Run], None] = lambda *_: None) -> Run:
    """A course at its end: gone on with where a checkpoint lies in the folder, and kept there at every mark.

    at_mark: called after the run was kept. A finished run is read, not run again: it would come to the same bits.
    Raises UserError where a checkpoint is damaged or of another course.
    """
    path = checkpoint_path(course, folder)
    if path.exists():
        run = read_run(path, course)
    else:
        run = begun(course, trained(course.after, folder, at_mark).weights if course.after else None)
    for each in steps_of(course, run):
        write_run(each, course, path)
        at_mark(course, each)
    run.weights = {name: tensor.detach() for name, tensor in run.weights.items()}
    return run


def checkpoint_path(course: Course, folder: Path) -> Path:
    return folder / f"{hashlib.sha256(identity(course).encode()).hexdigest()[:16]}.safetensors"


def identity(course: Course) -> str:
    """All that decides the bits: the course, the code that runs it, and torch."""
    return json.dumps({"course": asdict(course), "code": _code(), "torch": torch.__version__}, sort_keys=True)


@cache
def _code() -> str:
    digest = hashlib.sha256()
    for name in sources("jouleproof.studies.slm_energy.training_runs"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def write_run(run: Run, course: Course, path: Path) -> None:
    tensors = {f"{part}.{name}": tensor.detach().contiguous()
               for part in PARTS for name, tensor in getattr(run, part).items()}  # fmt: skip
    tensors[CURVE] = torch.tensor(run.curve, dtype=torch.float64)
    with atomic(path) as temporary:
        save_file(tensors, temporary, {"course": identity(course), "step": str(run.step)})


def read_run(path: Path, course: Course) -> Run:
    """Raises UserError where the file is damaged or of another course."""
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
            if about.get("course") != identity(course):
                raise UserError(f"checkpoint: {path} is of another course; delete it and run again")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        weights, means, squares = ({name.removeprefix(f"{part}."): tensor for name, tensor in tensors.items()
                  if name.startswith(f"{part}.")} for part in PARTS)  # fmt: skip
        return Run(int(about["step"]), weights, means, squares, tensors[CURVE].tolist())
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise UserError(f"checkpoint: {path} cannot be read ({error}); delete it and run again") from error
