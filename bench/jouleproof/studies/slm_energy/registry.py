"""Names in the config to tasks, shapes and engines, built in or the researcher's own; models have their own room."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from jouleproof import plugins
from jouleproof.plugins import named_at
from jouleproof.power import meters
from jouleproof.studies.slm_energy.config import CostConfig, EnginesConfig, QualityConfig, SlmEnergyConfig
from jouleproof.studies.slm_energy.language_models import BUILT_IN, PREFIXES, own_maker

if TYPE_CHECKING:
    from jouleproof.models.decoder_shape import DecoderShape
    from jouleproof.studies.slm_energy.engine_registry import Engine
    from jouleproof.studies.slm_energy.tasks import Task


def tasks(names: Iterable[str]) -> "Mapping[str, Task]":
    """By the name that the config gives. Raises UserError where an object is no Task."""
    from jouleproof.studies.slm_energy.tasks import TASKS, Task

    calls = {"items": ("test", "train", "count", "seed"), "score": ("model", "items")}
    return plugins.load_all("task", names, TASKS, Task, calls)


def shapes(names: Iterable[str]) -> "Mapping[str, DecoderShape]":
    """By the name that the config gives. Raises UserError where an object is no DecoderShape."""
    from jouleproof.models.decoder_shape import DecoderShape
    from jouleproof.models.smollm2 import SHAPES

    return plugins.load_all("shape", names, SHAPES, DecoderShape)


def engines(names: Iterable[str]) -> "Mapping[str, Engine]":
    """By the name that the config gives. Raises UserError where an object is no Engine."""
    from jouleproof.studies.slm_energy.engine_registry import ENGINES, Engine

    return plugins.load_all("engine", names, ENGINES, Engine, {"start": ("subject",)})


def check(config: SlmEnergyConfig) -> None:
    """Raises UserError on a name that stands for nothing, or for a thing of another kind. What the config has by
    default is not looked up: that would take the seconds that torch takes."""
    usual = QualityConfig()
    if not set(config.quality.formats) <= set(usual.formats):
        from jouleproof.studies.slm_energy.weight_formats import weight_formats

        with named_at("slm_energy.quality.formats"):
            weight_formats(config.quality.formats)
    for key, find, names, known in (
        ("quality.tasks", tasks, config.quality.tasks, usual.tasks),
        ("cost.shapes", shapes, config.cost.shapes, CostConfig().shapes),
        ("engines.engines", engines, config.engines.engines, EnginesConfig().engines),
    ):
        if own := [name for name in names if name not in known]:
            with named_at(f"slm_energy.{key}"):
                find(own)
    with named_at("slm_energy.quality.models"):
        for name in config.quality.models:
            if name != BUILT_IN and not name.startswith(PREFIXES):
                own_maker(name)
    with named_at("slm_energy.meters.meter"):
        meters.known(config.meters.meter)
