"""Tables of the levers together: of the experiments themselves, on made-up tables of the other studies."""

from functools import cache

from jouleproof.studies.joint.config import JointConfig
from jouleproof.studies.joint.experiments.levers import assumptions, levers
from tests.joint.made import tables


@cache
def joint():
    config, made = JointConfig(draws=100), tables(tilt=0.3)
    return {
        "joint/levers": levers(config, made),
        "joint/assumptions": assumptions(config, made),
        "phase_split/service_energy": made["service_energy"],
    }
