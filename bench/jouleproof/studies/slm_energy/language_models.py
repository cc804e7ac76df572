"""Language models by name in the config: built in, from a folder, a GGUF file or the hub, or user-defined."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jouleproof import plugins
from jouleproof.errors import UserError

if TYPE_CHECKING:
    from jouleproof.studies.slm_energy.tasks import Model

BUILT_IN = "smollm2_135m"
PREFIXES = ("folder:", "gguf:", "hub:")
KNOWN = (BUILT_IN, "folder:PATH", "gguf:PATH", "hub:ORGANISATION/MODEL@COMMIT")


def language_model(name: str, inputs: "Mapping[str, Model]", hub: bool) -> "Model":
    """Load a model by name.

    name: smollm2_135m, `folder:PATH`, `gguf:PATH`, `hub:ORGANISATION/MODEL@COMMIT`, or `package.module:object`, a
    function without arguments that returns a Model. inputs: models that are inputs, by id. hub: whether the hub may be
    accessed.

    Raises UserError if there is no such model.
    """
    if name == BUILT_IN:
        return inputs[BUILT_IN]
    kind, _, rest = name.partition(":")
    if f"{kind}:" in PREFIXES:
        from jouleproof.models.hugging import load_folder, load_from_hub, load_gguf

        if kind == "hub":
            if not hub:
                raise UserError(f"config: model {name!r}: set slm_energy.quality.hub to true to use the hub")
            return load_from_hub(rest)
        return load_folder(Path(rest)) if kind == "folder" else load_gguf(Path(rest))
    return _checked(name, custom_maker(name)())


def language_models(names: Iterable[str]) -> "Mapping[str, Callable[[], Model]]":
    """Return the user-defined functions among the names. Raises UserError if one is not a function."""
    return {name: custom_maker(name) for name in names if name != BUILT_IN and not name.startswith(PREFIXES)}


def custom_maker(name: str) -> "Callable[[], Model]":
    """Return the user-defined function of this name. Raises UserError if it is not a function."""
    listed: Mapping[str, Any] = dict.fromkeys(KNOWN)
    make = plugins.load("language model", name, listed)
    plugins.check_call(f"language model {name!r}", make, (), "jouleproof.studies.slm_energy.tasks.Model")
    return make


def _checked(name: str, model: Any) -> "Model":
    from jouleproof.studies.slm_energy.tasks import Model

    if missing := plugins.lacking(model, Model):
        raise UserError(
            f"config: slm_energy.quality.models: language model {name!r} returned {type(model).__name__}, which lacks "
            f"{', '.join(missing)} (jouleproof.studies.slm_energy.tasks.Model)"
        )
    return model
