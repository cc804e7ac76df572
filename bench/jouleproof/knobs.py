"""Configs of studies: strict models, readable validation errors, and the knobs of a config that one experiment
reads."""

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    create_model,
    field_validator,
)
from pydantic.fields import FieldInfo

from jouleproof.errors import UserError
from jouleproof.paths import check_file, expanded

Positive = Annotated[int, Field(ge=1)]
Above = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0, lt=1)]
Names = Annotated[list[str], Field(min_length=1)]
Seeds = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]


def _readable(text: str) -> str:
    path = expanded(text)
    try:
        check_file(Path(path))
    except UserError as error:
        raise ValueError(str(error)) from error
    return path


UserFile = Annotated[str, AfterValidator(_readable)]
"""The path of a file that can be read (jouleproof.paths). Experiments that read the knob depend on the file."""


class Strict(BaseModel):
    """A part of a config that rejects unknown keys, values of another type, infinity and NaN, and a value that a list
    of any length has twice."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    @field_validator("*")
    @classmethod
    def _listed_once(cls, value: Any, info: ValidationInfo) -> Any:
        limits = cls.model_fields[info.field_name or ""].metadata
        if isinstance(value, list) and all(getattr(limit, "max_length", None) is None for limit in limits):
            for number, item in enumerate(value):
                if item in value[:number]:
                    raise ValueError(f"{item!r} is listed twice")
        return value


def named(function: str, built_in: Sequence[str] = (), group: str = "") -> AfterValidator:
    """Validate a field that holds the name of an object (jouleproof.plugins), or a list of such names.

    function: `module:function` that takes the names and raises UserError if they name nothing or objects of another
    kind; its module is imported only when there is a name to check. built_in: names that are accepted without a look-up
    if the field holds no others, so that a config's defaults import no large libraries.
    An unknown name that an installed package registers as an entry point is replaced by the `package.module:object` of
    that entry point. group: the entry points are those of `jouleproof.<group>`; by default, the function's name.
    """
    module, _, attribute = function.partition(":")

    def check(value: Any) -> Any:
        names = [value] if isinstance(value, str) else value
        if len(set(names)) == len(names) and set(names) <= set(built_in):
            return value
        find = getattr(importlib.import_module(module), attribute)
        if _refused(find, names):
            registered = {point.name: point.value for point in entry_points(group=f"jouleproof.{group or attribute}")}
            names = [registered.get(name, name) if _refused(find, [name]) else name for name in names]
            if why := _refused(find, names):
                raise ValueError(why)
        return names[0] if isinstance(value, str) else names

    return AfterValidator(check)


def _refused(find: Callable[[Iterable[str]], object], names: Sequence[str]) -> str:
    """Reason why the names are refused; empty if all of them are valid."""
    try:
        find(names)
    except UserError as error:
        return str(error).removeprefix("config: ")
    return ""


def partial_model(config_type: type[BaseModel], names: Sequence[str] | None) -> type[BaseModel]:
    """Model of only the named fields of a config, without validators that compare several fields.

    An experiment that reads a field that it did not list gets an AttributeError, never a default.
    """
    fields: dict[str, Any] = {name: (field.annotation, field) for name, field in fields_of(config_type, names).items()}
    return create_model(config_type.__name__, __config__=config_type.model_config, **fields)


def fields_of(config_type: type[BaseModel], names: Sequence[str] | None) -> Mapping[str, FieldInfo]:
    """Return the named fields, or all fields if `names` is None. Raises KeyError if a name is not a field."""
    return {name: config_type.model_fields[name] for name in (config_type.model_fields if names is None else names)}


def config_error(where: str, error: ValidationError, config_type: type[BaseModel], under: str = "") -> str:
    """Format a pydantic error as lines of `config: where: knob: what is wrong (got …)`.

    under: the key that contains the knobs, if any.
    """
    return "\n".join(f"config: {where}: {line}" for line in complaints(error, config_type, under=under))


def complaints(error: ValidationError, model: type[BaseModel], under: str = "", what: str = "knob") -> list[str]:
    """List the errors in a pydantic error, each as `key: what is wrong (got …)`. what: the word for a field of
    the model."""
    lines = []
    for wrong in error.errors():
        *above, field = wrong["loc"] or ("top level",)
        message = wrong["msg"].removeprefix("Value error, ")
        if wrong["type"] == "extra_forbidden":
            message = f"no such {what}; known here: {', '.join(_known(model, above))}"
        if wrong["type"] in ("model_type", "dict_type"):
            message = f"expected {what}s, as {{key: value}}"
            if isinstance(wrong["input"], str) and wrong["input"].count("{") > wrong["input"].count("}"):
                message += "; a bracket is not closed"
        whole = wrong["type"] == "missing" or (not wrong["loc"] and wrong["type"] == "value_error")
        got = "" if whole else f" (got {wrong['input']!r:.80})"
        key, message = ".".join(map(str, (*([under] if under else []), *above, field))), " ".join(message.split())
        lines.append(f"{key:.200}: {message:.600}{got}")
    return lines


def _known(config_type: Any, above: Sequence[int | str]) -> list[str]:
    """Names of the knobs below these keys of a config."""
    for key in above:
        if _is_model(config_type) and key in config_type.model_fields:
            config_type = model_in(config_type.model_fields[key].annotation)
        # otherwise a key of a mapping or an index of a list whose values have that model
    return list(config_type.model_fields) if _is_model(config_type) else []


def rows(config: BaseModel, under: str = "") -> Iterator[tuple[str, str, str, str]]:
    """Yield key, value, range and meaning (with its unit) of each knob of a config, depth first."""
    for name, field in type(config).model_fields.items():
        key, value = f"{under}{name}", getattr(config, name)
        if isinstance(value, BaseModel):
            yield key, "", "", _meaning(field, type(value).__doc__)
            yield from rows(value, f"{key}.")
        else:
            yield key, _text(value), _range(field), _meaning(field, None)


def _meaning(field: FieldInfo, docstring: str | None) -> str:
    return " ".join((field.description or docstring or "").split())


def _text(value: Any) -> str:
    return str(value) if not isinstance(value, str) else value or "''"


def _range(field: FieldInfo) -> str:
    """Bounds of a number, such as `>= 1, < 2`, or the choices of a literal."""
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    bounds = [
        f"{sign} {getattr(limit, name)}"
        for limit in field.metadata
        for name, sign in signs.items()
        if getattr(limit, name, None) is not None
    ]
    choices = [str(choice) for choice in get_args(field.annotation) if isinstance(choice, str)]
    return ", ".join(bounds) or " | ".join(choices)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model that an annotation is or contains (`list[Model]`, `Model | None`), if any."""
    if _is_model(annotation):
        return annotation
    return next((model for inner in get_args(annotation) if (model := model_in(inner))), None)
