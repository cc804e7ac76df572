"""Resolution of the formats, scale rules and casts, built-in or custom, that a config names."""

from collections.abc import Collection, Iterable, Mapping
from functools import partial
from itertools import product

from jouleproof import plugins
from jouleproof.formats import FORMATS, SCALE_RULES, MXFormat, ScaleRule, fake_quantize
from jouleproof.studies.mx.cast_steps import PARTS
from jouleproof.studies.mx.config import MxConfig
from jouleproof.studies.mx.generated_vectors import Cast, CastNames
from jouleproof.studies.mx.other_casts import OTHERS, OtherCast


def formats(names: Iterable[str]) -> Mapping[str, MXFormat]:
    """Return formats, keyed by their `name`. Raises UserError if an object is not an MXFormat."""
    return plugins.load_all("format", names, FORMATS, MXFormat, called=lambda fmt: fmt.name)


def scale_rules(names: Iterable[str]) -> Mapping[str, ScaleRule]:
    """Return scale rules, keyed by the name of the function. Raises UserError if an object is not callable."""
    return plugins.load_functions("scale rule", names, SCALE_RULES, ("amax", "fmt"), "exponent")


def scale_rules_and_parts(names: Iterable[str]) -> Mapping[str, ScaleRule]:
    """Return the scale rules among names of rules and of parts of a cast (jouleproof.studies.mx.cast_steps)."""
    return scale_rules([name for name in names if name not in PARTS])


def other_casts(names: Iterable[str]) -> Mapping[str, OtherCast]:
    """Return other casts, keyed by their `name`. Raises UserError if an object is not an OtherCast."""
    return plugins.load_all("cast", names, OTHERS, OtherCast, called=lambda cast: cast.name)


def casts(config: MxConfig) -> Mapping[CastNames, Cast]:
    """Return the fake quantisation under every format and scale rule of the config, by the names of both."""
    every = product(formats(config.formats).items(), scale_rules(config.scales).items())
    return {(name, rule_name): partial(fake_quantize, fmt=fmt, scale=rule) for (name, fmt), (rule_name, rule) in every}


def default_rule(names: Collection[str]) -> str:
    """Return the name of the floor rule, or of the first rule if floor is not listed."""
    return "floor" if "floor" in names else next(iter(names))
