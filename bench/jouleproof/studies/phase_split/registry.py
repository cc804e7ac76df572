"""Resolution of the names in a config: formats, and built-in or custom designs."""

from collections.abc import Iterable, Mapping, Sequence

from jouleproof import plugins
from jouleproof.errors import UserError
from jouleproof.serving.simulator.clusters import FAMILIES, PUBLISHED_POOLS
from jouleproof.serving.simulator.machines import Design

PLAIN = ("float32", "bfloat16")  # formats of numbers without blocks
UNPACKED = "16 bits"  # the format of the profiled models


def forms(names: Iterable[str]) -> None:
    """Check names of formats. Raises UserError if one is neither a built-in block format nor a format without
    blocks."""
    formats(names, PLAIN)


def formats(names: Iterable[str], plain: Sequence[str] = ()) -> None:
    """Check names of formats. Raises UserError if one is neither a built-in block format nor one of the plain ones."""
    from jouleproof.formats import FORMATS

    allowed = [*plain, *FORMATS]
    for name in names:
        if name not in allowed:
            raise UserError(f"config: unknown format {name!r:.80}; known: {', '.join(allowed)}")


def model_in(model: str, form: str) -> str:
    """Return the name of a served model whose weights and cache are stored in a format."""
    return model if form == UNPACKED else f"{model}/{form}"


def designs(names: Iterable[str], service: str = "conv") -> Mapping[str, Design]:
    """Return designs by name, built-in ones with the pools that were published for the service.

    Raises UserError if an object is not a Design, or two have the same name.
    """
    builtins = {name: FAMILIES[name].design(*pools) for name, pools in PUBLISHED_POOLS[service].items()}
    return plugins.load_all("design", names, builtins, Design, called=lambda design: design.name)
