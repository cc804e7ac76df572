"""Names in the config to information, rules, releases, controllers and sensors, built in or the researcher's own."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from jouleproof import plugins
from jouleproof.errors import UserError
from jouleproof.power.controllers import CONTROLLERS, Controller
from jouleproof.power.sensors import SENSORS, Sensor
from jouleproof.studies.placement.config import is_file_name
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
    return plugins.load_functions("predictor", names, PREDICTORS, ("profiles", "seen", "fleet"), "profiles")


def traces(names: Iterable[str]) -> Mapping[str, object]:
    """The objects among traces. Raises UserError where there is neither an object nor a file of that name."""
    files = [Path(name) for name in names if is_file_name(name)]
    if absent := [path for path in files if not path.is_file()]:
        raise UserError(f"config: {absent[0]} is not a file")
    return {name: plugins.load("trace", name, {}) for name in names if not is_file_name(name)}
