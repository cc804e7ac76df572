"""Names in the config to information, rules, releases, controllers and sensors, built in or the researcher's own."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from operator import attrgetter
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

information = partial(
    plugins.load_all, "information", builtins=INFORMATION, of=Information, calls={"of": ("readings", "fleet")}
)
rules = partial(plugins.load_all, "rule", builtins=RULES, of=Rule)
controllers = partial(plugins.load_all, "controller", builtins=CONTROLLERS, of=Controller)
sensors = partial(plugins.load_all, "sensor", builtins=SENSORS, of=Sensor)
policies = partial(plugins.load_all, "policy", builtins=POLICIES, of=Policy)
releases = partial(
    plugins.load_all,
    "release",
    builtins=RELEASES,
    of=Release,
    calls={"let_out": ("readings", "fleet", "rng"), "used": ("released", "fleet")},
)


def predictors(names: Iterable[str]) -> Mapping[str, Predictor]:
    loaded = {name: plugins.load("predictor", name, PREDICTORS) for name in names}
    for name, predictor in loaded.items():
        plugins.check_call(f"predictor {name!r}", predictor, ("profiles", "seen", "fleet"), "profiles")
    return {name.rpartition(":")[2]: predictor for name, predictor in loaded.items()}


def traces(names: Iterable[str]) -> Mapping[str, object]:
    return {name: plugins.load("trace", name, {}) for name in names}


LOADERS: Mapping[str, Callable[[Iterable[str]], Mapping[str, object]]] = {  # by the key of the config that has names
    "hosting.information": information,
    "transfer.information": information,
    "frontier.information": information,
    "predictability.information": information,
    "hosting.rules": rules,
    "bounds.rules": rules,
    "prediction.predictors": predictors,
    "sensors.sensors": sensors,
    "policies.policies": policies,
    "leakage.releases": releases,
    "oversubscription.controllers": controllers,
    "policies.controller": controllers,
    "fleet.trace": traces,
}


def check(config: PlacementConfig) -> None:
    """Raises UserError on a name that stands for nothing, or for a thing of another kind."""
    for key, load in LOADERS.items():
        names = attrgetter(key)(config)
        if key == "fleet.trace" and (names is None or config.fleet.trace_file):
            continue
        with named_at(f"placement.{key}"):
            load([names] if isinstance(names, str) else names)
    for path in filter(None, (config.fleet.trace_file, *map(Path, config.reality.google))):
        if not path.is_file():
            raise UserError(f"config: placement: {path} is not a file")
