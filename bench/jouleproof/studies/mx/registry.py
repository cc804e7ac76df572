"""What a config names, built in or a user's own: formats, scale rules, casts, recipes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from jouleproof import plugins
from jouleproof.errors import UserError
from jouleproof.formats import FORMATS, SCALE_RULES, MXFormat, ScaleRule
from jouleproof.plugins import named_at
from jouleproof.studies.mx.cast_steps import PARTS
from jouleproof.studies.mx.config import MxConfig, TrainingConfig
from jouleproof.studies.mx.other_casts import named_others

T = TypeVar("T")


def check(config: MxConfig) -> None:
    """Raises UserError where the config names anything that is not there."""
    for key, names, find in _named(config):
        with named_at(f"mx.{key}"):
            find(names)
    if config.training.recipes != TrainingConfig().recipes:
        from jouleproof.studies.mx.recipes import recipes

        with named_at("mx.training.recipes"):
            recipes(config.training.recipes)


def _named(config: MxConfig) -> Iterator[tuple[str, Sequence[str], Callable[[Sequence[str]], object]]]:
    """Every key that holds names but that of the recipes, the names, and what finds their objects."""
    yield "formats", config.formats, formats
    yield "direct_cast.more_scales", list(config.direct_cast.more_scales), formats
    yield "scales", config.scales, scale_rules
    yield "direct_cast.scales", config.direct_cast.scales, scale_rules
    yield "training.scales", config.training.scales, scale_rules
    for fmt, names in config.direct_cast.more_scales.items():
        yield f"direct_cast.more_scales.{fmt}", [name for name in names if name not in PARTS], scale_rules
    yield "error_sources.others", config.error_sources.others, named_others


def formats(names: Sequence[str]) -> Mapping[str, MXFormat]:
    """By the name that the config gives. Raises UserError where an object is no MXFormat."""
    found = {name: plugins.load("format", name, FORMATS) for name in names}
    for name, fmt in found.items():
        if not isinstance(fmt, MXFormat):
            raise UserError(f"config: format {name!r} is a {type(fmt).__name__}, not a jouleproof.formats.MXFormat")
    return _by_own_name("format", [(fmt.name, fmt) for fmt in found.values()])


def scale_rules(names: Sequence[str]) -> Mapping[str, ScaleRule]:
    """By the function's name. Raises UserError where an object cannot be called."""
    found = {name: plugins.load("scale rule", name, SCALE_RULES) for name in names}
    for name, rule in found.items():
        plugins.check_call(f"scale rule {name!r}", rule, ("amax", "fmt"), "exponent")
    return _by_own_name("scale rule", [(name.rpartition(":")[2], rule) for name, rule in found.items()])


def _by_own_name(kind: str, pairs: Sequence[tuple[str, T]]) -> Mapping[str, T]:
    names = [name for name, _ in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"config: two {kind}s are called {', '.join(twice)}; each needs a name of its own")
    return dict(pairs)
