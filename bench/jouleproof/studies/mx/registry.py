"""What a config names, built in or a user's own: formats, scale rules, casts, recipes."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from itertools import product

from jouleproof import plugins
from jouleproof.formats import FORMATS, SCALE_RULES, MXFormat, ScaleRule, fake_quantize
from jouleproof.plugins import named_at
from jouleproof.studies.mx.cast_steps import PARTS
from jouleproof.studies.mx.config import MxConfig, TrainingConfig
from jouleproof.studies.mx.generated_vectors import Cast, CastNames
from jouleproof.studies.mx.other_casts import named_others


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


def casts(config: MxConfig) -> Mapping[CastNames, Cast]:
    """Quantise and dequantise under every format and scale rule of the config, by the names of both."""
    every = product(formats(config.formats).items(), scale_rules(config.scales).items())
    return {(name, rule_name): partial(fake_quantize, fmt=fmt, scale=rule) for (name, fmt), (rule_name, rule) in every}


def formats(names: Sequence[str]) -> Mapping[str, MXFormat]:
    """Formats by their names. Raises UserError where an object is no MXFormat."""
    return plugins.load_named("format", names, FORMATS, MXFormat)


def scale_rules(names: Sequence[str]) -> Mapping[str, ScaleRule]:
    """Scale rules by their functions' names. Raises UserError where an object cannot be called."""
    loaded = {name: plugins.load("scale rule", name, SCALE_RULES) for name in names}
    for name, rule in loaded.items():
        plugins.check_call(f"scale rule {name!r}", rule, ("amax", "fmt"), "exponent")
    return plugins.by_name("scale rule", [(name.rpartition(":")[2], rule) for name, rule in loaded.items()])


def default_rule(names: Collection[str]) -> str:
    """The floor rule, or the first where floor is left out."""
    return "floor" if "floor" in names else next(iter(names))
