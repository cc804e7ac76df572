"""Stand-ins for inputs that are unavailable: generators calibrated on committed, cited facts.

The catalogue names a generator, which is `module:function` here; the function takes a seed and returns the content of
the one file that it replaces: the format of the real one, and the same bytes for the same seed on any machine.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import MappingProxyType
from typing import cast

GENERATORS = MappingProxyType(
    {
        "mlenergy-points": "jouleproof.inputs.stand_in.mlenergy:measurements",
        "gsm8k-test": "jouleproof.inputs.stand_in.gsm8k:test_split",
        "gsm8k-train": "jouleproof.inputs.stand_in.gsm8k:train_split",
    }
)


def generate(name: str, seed: int) -> bytes:
    """Generate the content of the stand-in of that name. seed: >= 0."""
    module, _, function = GENERATORS[name].partition(":")
    return cast(Callable[[int], bytes], getattr(import_module(module), function))(seed)
