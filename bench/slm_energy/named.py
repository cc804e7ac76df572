"""Names in the config to models, tasks and formats, built in or the researcher's own."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bench import plugins
from bench.errors import UserError
from bench.measure import meters
from bench.slm_energy.config import QualityConfig, SlmEnergyConfig
from bench.slm_energy.language_models import BUILT_IN, PREFIXES, own_maker

if TYPE_CHECKING:
    from bench.slm_energy.tasks import Task


def tasks(names: Iterable[str]) -> "list[Task]":
    """Raises UserError where an object is no Task."""
    from bench.slm_energy.tasks import TASKS, Task

    found = [plugins.load("task", name, TASKS) for name in names]
    for each in found:
        if not isinstance(each, Task):
            raise UserError(f"config: task {each!r:.80} is a {type(each).__name__}, not a bench.slm_energy.tasks.Task")
    return found


def find_all(config: SlmEnergyConfig) -> None:
    """Raises UserError on a name that stands for nothing, or for a thing of another kind. What the config has by
    default is not looked up: that would take the seconds that torch takes."""
    usual = QualityConfig()
    if not set(config.quality.formats) <= set(usual.formats):
        from bench.slm_energy.weight_formats import weight_formats

        weight_formats(config.quality.formats)
    if not set(config.quality.tasks) <= set(usual.tasks):
        tasks(config.quality.tasks)
    for name in _own_models(config):
        own_maker(name)
    meters.known(config.meters.meter)


def own_files(config: SlmEnergyConfig) -> list[str]:
    """Where the researcher's own objects come from."""
    names = [*config.quality.formats, *config.quality.tasks, *_own_models(config), config.meters.meter]
    return sorted({str(path) for path in map(plugins.source_file, names) if path})


def _own_models(config: SlmEnergyConfig) -> list[str]:
    return [name for name in config.quality.models if name != BUILT_IN and not name.startswith(PREFIXES)]
