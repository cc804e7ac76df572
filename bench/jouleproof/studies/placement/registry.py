"""Resolution of names in the config to built-in or user-defined information, rules, policies, predictors, releases,
controllers, sensors and traces."""

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from jouleproof import plugins
from jouleproof.paths import check_file
from jouleproof.power.controllers import CONTROLLERS, Controller
from jouleproof.power.sensors import SENSORS, Sensor
from jouleproof.studies.placement.config import is_file_name
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
    calls={"disclose": ("readings", "fleet", "rng"), "used": ("released", "fleet")},
)


def predictors(names: Iterable[str]) -> Mapping[str, Predictor]:
    return plugins.load_functions("predictor", names, PREDICTORS, ("profiles", "seen", "fleet"), "profiles")


def traces(names: Iterable[str]) -> Mapping[str, object]:
    """Return the traces that are objects. Raises UserError where a name is neither an object nor a file."""
    for name in names:
        if is_file_name(name):
            check_file(Path(name))
    objects: dict[str, object] = {name: plugins.load("trace", name, {}) for name in names if not is_file_name(name)}
    for name, trace in objects.items():
        if not isinstance(trace, pd.DataFrame):
            plugins.check_call(f"trace {name!r}", trace, (), "a pandas.DataFrame")
    return objects
