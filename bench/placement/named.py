"""Names in the config to information, rules, releases, controllers and sensors, built in or the researcher's own."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from bench import plugins
from bench.errors import UserError
from bench.placement.config import PlacementConfig
from bench.placement.controllers import CONTROLLERS, Controller
from bench.placement.policies import POLICIES, Policy
from bench.placement.prediction import PREDICTORS, Predictor
from bench.placement.profiles import INFORMATION, Information
from bench.placement.releases import RELEASES, Release
from bench.placement.rules import RULES, Rule
from bench.placement.sensors import SENSORS, Sensor


def information(names: Iterable[str]) -> Mapping[str, Information]:
    return plugins.load_all("information", names, INFORMATION, Information)


def rules(names: Iterable[str]) -> Mapping[str, Rule]:
    return plugins.load_all("rule", names, RULES, Rule)


def controllers(names: Iterable[str]) -> Mapping[str, Controller]:
    return plugins.load_all("controller", names, CONTROLLERS, Controller)


def sensors(names: Iterable[str]) -> Mapping[str, Sensor]:
    return plugins.load_all("sensor", names, SENSORS, Sensor)


def releases(names: Iterable[str]) -> Mapping[str, Release]:
    return plugins.load_all("release", names, RELEASES, Release)


def policies(names: Iterable[str]) -> Mapping[str, Policy]:
    return plugins.load_all("policy", names, POLICIES, Policy)


def predictors(names: Iterable[str]) -> Mapping[str, Predictor]:
    found = {name.rpartition(":")[2]: plugins.load("predictor", name, PREDICTORS) for name in names}
    for name, each in found.items():
        if not callable(each):
            raise UserError(f"config: predictor {name!r} is a {type(each).__name__}, not a function")
    return found


def find_all(config: PlacementConfig) -> None:
    """Raises UserError on a name that stands for nothing, or for a thing of another kind."""
    information(config.hosting.information)
    for names in (config.transfer.information, config.frontier.information, config.predictability.information):
        information(names)
    rules([*config.hosting.rules, *config.bounds.rules])
    predictors(config.prediction.predictors)
    sensors(config.sensors.sensors)
    policies(config.policies.policies)
    controllers([config.policies.controller])
    releases(config.leakage.releases)
    controllers(config.oversubscription.controllers)
    own = [Path(path) for path in (config.fleet.trace_file, *config.reality.google) if path]
    for path in own:
        if not path.is_file():
            raise UserError(f"config: placement: {path} is not a file")
    if config.fleet.trace and not config.fleet.trace_file:
        plugins.load("trace", config.fleet.trace, {})


def own_files(config: PlacementConfig) -> list[str]:
    """Where the researcher's own objects come from: code; data files are an experiment's own."""
    names = [
        *config.hosting.information, *config.hosting.rules, *config.transfer.information, *config.frontier.information,
        *config.predictability.information, *config.prediction.predictors, *config.sensors.sensors,
        *config.leakage.releases, *config.policies.policies, *config.oversubscription.controllers,
        config.policies.controller, config.fleet.trace or "",
    ]  # fmt: skip
    return sorted({str(path) for path in map(plugins.source_file, names) if path})
