"""Published dense peak rates of accelerators, read from accelerators.toml and validated."""

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from jouleproof.knobs import Strict, complaints

BITS = {"bf16": 16, "fp8": 8, "int8": 8, "fp6": 6, "fp4": 4, "int4": 4}
_FILE = Path(__file__).with_name("accelerators.toml")

Text = Annotated[str, Field(min_length=1)]


def _known(rates: dict[str, float]) -> dict[str, float]:
    if "bf16" not in rates or set(rates) - set(BITS):
        raise ValueError(f"rates must include bf16, and only {', '.join(BITS)} are allowed; got {', '.join(rates)}")
    return rates


class Accelerator(Strict):
    """An accelerator chip. rates: dense peak of its matrix units by element format, in TFLOP/s (TOPS for integers).

    block_scaled: whether these units apply the scales of MX or NVFP4 blocks. publication, year: source of the rates.
    read_at: address of the source. verified: whether the source states these rates; only such entries are used.
    """

    name: Text
    block_scaled: bool
    publication: Text
    year: int
    read_at: Annotated[str, Field(pattern="^https://")]
    verified: bool
    rates: Annotated[dict[str, Annotated[float, Field(gt=0)]], AfterValidator(_known)]


def accelerators(path: Path = _FILE) -> list[Accelerator]:
    """Return the verified accelerators, in the order of the file. Raises ValueError on an invalid entry."""
    try:
        chips = TypeAdapter(dict[str, Accelerator]).validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise ValueError(f"accelerators: {'; '.join(complaints(error, Accelerator, what='key'))}") from error
    return [chip for chip in chips.values() if chip.verified]
