"""What a config names: designs, built in or a user's own, and formats."""

from collections.abc import Mapping, Sequence

from jouleproof import plugins
from jouleproof.errors import UserError
from jouleproof.plugins import named_at
from jouleproof.serving.simulator.clusters import FAMILIES, PUBLISHED_POOLS
from jouleproof.serving.simulator.machines import Design
from jouleproof.studies.phase_split.config import PhaseSplitConfig

PLAIN = ("float32", "bfloat16")  # formats of numbers without blocks


def check(config: PhaseSplitConfig) -> None:
    """Raises UserError on the first name that there is nothing for."""
    with named_at("phase_split.designs"):
        for service in config.capacity.services:
            designs(config.designs, service)
    with named_at("phase_split.beyond.formats"):
        formats(config.beyond.formats)
    with named_at("phase_split.moves.forms"):
        formats(config.moves.forms, plain=PLAIN)


def formats(names: Sequence[str], plain: Sequence[str] = ()) -> None:
    """Raises UserError where a name is no built-in block format and not one of the plain ones.

    Not a part of the config's own checks: it imports torch, whose threads are to be placed before.
    """
    from jouleproof.formats import FORMATS

    known = [*plain, *FORMATS]
    for name in names:
        if name not in known:
            raise UserError(f"config: format {name!r:.80} is not known; known: {', '.join(known)}")


def designs(names: Sequence[str], service: str) -> Mapping[str, Design]:
    """By the design's own name; built-in ones with the pools that were published for the service.

    Raises UserError where an object is no Design or two have one name.
    """
    builtins = {name: FAMILIES[name].design(*pools) for name, pools in PUBLISHED_POOLS[service].items()}
    found = [plugins.load("design", name, builtins) for name in names]
    for name, design in zip(names, found, strict=True):
        if not isinstance(design, Design):
            raise UserError(
                f"config: design {name!r} is a {type(design).__name__}, not a "
                "jouleproof.serving.simulator.machines.Design"
            )
    own = [design.name for design in found]
    twice = sorted({name for name in own if own.count(name) > 1})
    if twice:
        raise UserError(f"config: two designs are called {', '.join(twice)}; each needs a name of its own")
    return dict(zip(own, found, strict=True))
