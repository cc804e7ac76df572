"""Language models by name in the config: built in, from a folder, a GGUF file or the hub, or user-defined."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jouleproof import plugins
from jouleproof.errors import UserError, duplicates
from jouleproof.libraries import check_installed
from jouleproof.models.on_disk import check_folder, check_gguf, check_hub
from jouleproof.paths import expanded_after_kind

if TYPE_CHECKING:
    from jouleproof.studies.slm_energy.tasks import Model

BUILT_IN, BUILT_IN_NAME = "smollm2_135m", "SmolLM2-135M"
PREFIXES = ("folder:", "gguf:", "hub:")
HUB_OFF = "set slm_energy.quality.hub to true to use the hub"
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
    if name.startswith(PREFIXES):
        from jouleproof.models.gguf import load_gguf
        from jouleproof.models.hugging import load_folder, load_from_hub

        if kind == "hub":
            if not hub:
                raise UserError(f"config: model {name!r}: {HUB_OFF}")
            return load_from_hub(rest)
        return load_folder(Path(rest)) if kind == "folder" else load_gguf(Path(rest))
    return _checked(name, custom_maker(name)())


def with_paths_expanded(names: list[str]) -> list[str]:
    """Return the names of models with the paths in `folder:PATH` and `gguf:PATH` expanded (jouleproof.paths)."""
    return [expanded_after_kind(name) if name.startswith(("folder:", "gguf:")) else name for name in names]


def language_models(names: Iterable[str]) -> "Mapping[str, Callable[[], Model]]":
    """Check the names of models in milliseconds, without loading a model, and return the user-defined functions.

    Raises UserError if a name is listed twice, a file or a library is missing, or an object is not a function.
    """
    listed = list(names)
    if repeated := duplicates(listed):
        raise UserError(f"config: language model {repeated[0]!r} is listed twice")
    for name in listed:
        if name.startswith(PREFIXES):
            _check_files(name)
    return {name: custom_maker(name) for name in listed if name != BUILT_IN and not name.startswith(PREFIXES)}


def custom_maker(name: str) -> "Callable[[], Model]":
    """Return the user-defined function of this name. Raises UserError if it is not a function."""
    listed: Mapping[str, Any] = dict.fromkeys(KNOWN)
    make = plugins.load("language model", name, listed)
    plugins.check_call(f"language model {name!r}", make, (), "jouleproof.studies.slm_energy.tasks.Model")
    return make


class TableNames:
    """Names of models in tables: as short as tells them apart, whatever the models call themselves.

    The last part of a path or of a name on the hub, with as many parts before it as needed; the name that a
    user-defined model has, or its name in the config if another model is called the same. The built-in model keeps
    its name, which other tables use, listed or not.
    """

    def __init__(self, names: Sequence[str]) -> None:
        choices = {name: list(dict.fromkeys(_from_short_to_long(name))) for name in names if name.startswith(PREFIXES)}
        self._names = {name: options[0] for name, options in choices.items()}
        while repeated := duplicates([BUILT_IN_NAME, *self._names.values()]):
            for name, options in choices.items():
                if self._names[name] in repeated:
                    self._names[name] = options[min(options.index(self._names[name]) + 1, len(options) - 1)]

    def name_of(self, listed: str, model: "Model") -> str:
        """Return the name of a model that has been loaded. listed: its name in the config."""
        if listed == BUILT_IN:
            return model.name
        if listed not in self._names:
            taken = model.name in (BUILT_IN_NAME, *self._names.values())
            self._names[listed] = listed if taken else model.name
        return self._names[listed]


def _from_short_to_long(name: str) -> Iterator[str]:
    """Yield the names that a model from files or the hub may have in tables, ending with its name in the config."""
    kind, _, rest = name.partition(":")
    if kind == "hub":
        repository, _, _ = rest.partition("@")
        yield from (repository.rpartition("/")[2], repository)
    else:
        path = Path(rest).absolute() if Path(rest).name else Path(rest).resolve()
        if kind == "gguf":
            yield path.stem
        parts = path.parts[1:]
        yield from ("/".join(parts[-count:]) for count in range(1, len(parts) + 1))
    yield name


def _check_files(name: str) -> None:
    """Raise UserError if the files or the libraries that a model needs are missing."""
    kind, _, rest = name.partition(":")
    try:
        if kind == "hub":
            check_hub(rest)
        else:
            {"folder": check_folder, "gguf": check_gguf}[kind](Path(rest))
    except UserError as error:
        raise UserError(f"config: language model {str(error).removeprefix('models: ')}") from error
    check_installed("transformers", extra="llm")


def _checked(name: str, model: Any) -> "Model":
    from jouleproof.studies.slm_energy.tasks import Model

    if missing := plugins.lacking(model, Model):
        raise UserError(
            f"config: slm_energy.quality.models: language model {name!r} returned {type(model).__name__}, which lacks "
            f"{', '.join(missing)} (jouleproof.studies.slm_energy.tasks.Model)"
        )
    return model
