"""Names in the config to information, rules, releases, controllers and sensors, built in or the researcher's own."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from jouleproof import plugins
from jouleproof.errors import UserError
from jouleproof.plugins import named_at
from jouleproof.power.controllers import CONTROLLERS, Controller
from jouleproof.power.sensors import SENSORS, Sensor
from jouleproof.studies.placement.config import PlacementConfig
from jouleproof.studies.placement.policy import POLICIES, Policy
from jouleproof.studies.placement.predictors import PREDICTORS, Predictor
from jouleproof.studies.placement.profiles import INFORMATION, Information
from jouleproof.studies.placement.releases import RELEASES, Release
from jouleproof.studies.placement.rules import RULES, Rule


def information(names: Iterable[str]) -> Mapping[str, Information]:
    return plugins.load_all("information", names, INFORMATION, Information, {"of": ("readings", "fleet")})


def rules(names: Iterable[str]) -> Mapping[str, Rule]:
    return plugins.load_all("rule", names, RULES, Rule)


def controllers(names: Iterable[str]) -> Mapping[str, Controller]:
    return plugins.load_all("controller", names, CONTROLLERS, Controller)


def sensors(names: Iterable[str]) -> Mapping[str, Sensor]:
    return plugins.load_all("sensor", names, SENSORS, Sensor)


def releases(names: Iterable[str]) -> Mapping[str, Release]:
    calls = {"let_out": ("readings", "fleet", "rng"), "used": ("released", "fleet")}
    return plugins.load_all("release", names, RELEASES, Release, calls)


def policies(names: Iterable[str]) -> Mapping[str, Policy]:
    return plugins.load_all("policy", names, POLICIES, Policy)


def predictors(names: Iterable[str]) -> Mapping[str, Predictor]:
    found = {name: plugins.load("predictor", name, PREDICTORS) for name in names}
    for name, each in found.items():
        plugins.check_call(f"predictor {name!r}", each, ("profiles", "seen", "fleet"), "profiles")
    return {name.rpartition(":")[2]: each for name, each in found.items()}


def traces(names: Iterable[str]) -> Mapping[str, object]:
    return {name: plugins.load("trace", name, {}) for name in names}


Find = Callable[[Iterable[str]], Mapping[str, object]]


def _named(config: PlacementConfig) -> Iterator[tuple[str, Sequence[str], Find]]:
    """Every key that holds names, the names, and what finds their objects."""
    for key, part in (
        ("hosting", config.hosting), ("transfer", config.transfer), ("frontier", config.frontier),
        ("predictability", config.predictability),
    ):  # fmt: skip
        yield f"{key}.information", part.information, information
    yield "hosting.rules", config.hosting.rules, rules
    yield "bounds.rules", config.bounds.rules, rules
    yield "prediction.predictors", config.prediction.predictors, predictors
    yield "sensors.sensors", config.sensors.sensors, sensors
    yield "policies.policies", config.policies.policies, policies
    yield "leakage.releases", config.leakage.releases, releases
    yield "oversubscription.controllers", config.oversubscription.controllers, controllers
    yield "policies.controller", [config.policies.controller], controllers
    if config.fleet.trace and not config.fleet.trace_file:
        yield "fleet.trace", [config.fleet.trace], traces


def check(config: PlacementConfig) -> None:
    """Raises UserError on a name that stands for nothing, or for a thing of another kind."""
    for key, names, find in _named(config):
        with named_at(f"placement.{key}"):
            find(names)
    own = [Path(path) for path in (config.fleet.trace_file, *config.reality.google) if path]
    for path in own:
        if not path.is_file():
            raise UserError(f"config: placement: {path} is not a file")
