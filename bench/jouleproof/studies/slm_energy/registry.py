"""Tasks, shapes and engines by name in the config, built in or user-defined. Models: see language_models."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from jouleproof import plugins

if TYPE_CHECKING:
    from jouleproof.models.decoder_shape import DecoderShape
    from jouleproof.studies.slm_energy.engine_registry import Engine
    from jouleproof.studies.slm_energy.tasks import Task


def tasks(names: Iterable[str]) -> "Mapping[str, Task]":
    """Return the tasks by their names in the config. Raises UserError if an object is not a Task."""
    from jouleproof.studies.slm_energy.tasks import TASKS, Task

    calls = {"items": ("test", "train", "count", "seed"), "score": ("model", "items")}
    return plugins.load_all("task", names, TASKS, Task, calls, called=lambda task: task.name)


def shapes(names: Iterable[str]) -> "Mapping[str, DecoderShape]":
    """Return the shapes by their names in the config. Raises UserError if an object is not a DecoderShape."""
    from jouleproof.models.decoder_shape import DecoderShape
    from jouleproof.models.smollm2 import SHAPES

    return plugins.load_all("shape", names, SHAPES, DecoderShape)


def engines(names: Iterable[str]) -> "Mapping[str, Engine]":
    """Return the engines by their names in the config. Raises UserError if an object is not an Engine."""
    from jouleproof.studies.slm_energy.engine_registry import ENGINES, Engine

    return plugins.load_all(
        "engine", names, ENGINES, Engine, {"start": ("subject",)}, called=lambda engine: engine.name
    )
