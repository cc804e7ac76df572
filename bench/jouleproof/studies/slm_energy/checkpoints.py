"""Models that are trained once: safetensors files, whole or not there, that say which run they are the end of."""

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from statistics import fmean

import pandas as pd
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from jouleproof.errors import UserError
from jouleproof.files import atomic
from jouleproof.progress import steps
from jouleproof.sources import sources
from jouleproof.studies.slm_energy.config import SlmEnergyConfig
from jouleproof.studies.slm_energy.ladder_ratios import best_of
from jouleproof.studies.slm_energy.ladder_runs import anew, budget_steps, course, tuned
from jouleproof.studies.slm_energy.training_plan import (
    EQUAL_FLOPS,
    EQUAL_STEPS,
    ladder_checkpoint,
    scratch_checkpoint,
    tuned_checkpoint,
)
from jouleproof.studies.slm_energy.training_runs import Course, Run, begun, steps_of

AGAIN = "; delete it and run again"
CURVE, PARTS = "curve", ("weights", "means", "squares")


def train_for_ladder(config: SlmEnergyConfig, name: str, out: Path) -> None:
    """One size of the ladder under one budget. name: as training_plan.ladder_checkpoint gives it."""
    settings = config.ladder
    size, budget = next(
        (size, budget)
        for size in settings.sizes
        for budget in (EQUAL_STEPS, EQUAL_FLOPS)
        if ladder_checkpoint(settings, size, budget) == name
    )
    train(course(settings, size, budget_steps(settings, budget)[size]), out, name)


def train_fine_tuned(
    config: SlmEnergyConfig, name: str, out: Path, checkpoints: Mapping[str, Path],
    ladder: pd.DataFrame, ladder_equal_flops: pd.DataFrame,
) -> None:  # fmt: skip
    """A size of the ladder tuned to longer problems, from the better of its two runs."""
    settings, tuning = config.ladder, config.fine_tuning
    size = next(size for size in settings.sizes if tuned_checkpoint(size) == name)
    (best,) = best_of(pd.concat([ladder, ladder_equal_flops]), [size], settings.seeds)
    run = tuned(settings, tuning, size, best.budget)
    assert run.after is not None
    before = read_run(checkpoints[ladder_checkpoint(settings, size, best.budget)], run.after)
    train(run, out, name, before.weights)


def train_from_scratch(config: SlmEnergyConfig, name: str, out: Path) -> None:
    """A size of the ladder trained on the longer problems alone."""
    steps_by_size = config.fine_tuning.anew_steps
    size = next(size for size in steps_by_size if scratch_checkpoint(size) == name)
    train(anew(config.ladder, config.fine_tuning, size, steps_by_size[size]), out, name)


def train(run: Course, out: Path, name: str = "", weights: dict[str, torch.Tensor] | None = None) -> None:
    """Train to the end and write it. weights: what it starts at, where that is not drawn.

    The run is kept at every mark in a file beside `out`, from which it goes on to the same bits after an interruption.
    """
    partial = out.with_name(f"{out.stem}.partial{out.suffix}")
    state = _interrupted(partial, run) or begun(run, weights)
    step = steps(f"slm_energy {name or out.stem}", len([mark for mark in run.marks if mark > state.step]))
    for marked in steps_of(run, state):
        write_run(marked, run, partial)
        step(f"step {marked.step}: {100 * fmean(accuracies(marked.curve[-1], len(run.seeds))):.0f} % right")
    write_run(state, run, out)
    partial.unlink(missing_ok=True)


def accuracies(mark: Sequence[float], models: int) -> Sequence[float]:
    """The share of right answers of each model, from a row of a run's curve."""
    return mark[1 + models : 1 + 2 * models]


def _interrupted(path: Path, run: Course) -> Run | None:
    if not path.exists():
        return None
    try:
        return read_run(path, run)
    except UserError as error:
        print(f"{str(error).removesuffix(AGAIN)}; it starts anew", file=sys.stderr)
        return None


def identity(course: Course) -> str:
    """All that decides the bits: the course, the code that runs it, and torch."""
    return json.dumps({"course": asdict(course), "code": _code(), "torch": torch.__version__}, sort_keys=True)


@cache
def _code() -> str:
    digest = hashlib.sha256()
    for name in sources("jouleproof.studies.slm_energy.training_runs"):
        digest.update(Path(name).read_bytes())
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
                raise UserError(f"checkpoint: {path} is of another course{AGAIN}")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        weights, means, squares = ({name.removeprefix(f"{part}."): tensor for name, tensor in tensors.items()
                  if name.startswith(f"{part}.")} for part in PARTS)  # fmt: skip
        return Run(int(about["step"]), weights, means, squares, tensors[CURVE].tolist())
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise UserError(f"checkpoint: {path} cannot be read ({error}){AGAIN}") from error
