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
        "acme-power": "jouleproof.inputs.stand_in.power:acme_power",
        "azure-code": "jouleproof.inputs.stand_in.azure:code_trace",
        "azure-conv": "jouleproof.inputs.stand_in.azure:conv_trace",
        "bitbrains-fragments": "jouleproof.inputs.stand_in.power:bitbrains_fragments",
        "bitbrains-tasks": "jouleproof.inputs.stand_in.power:bitbrains_tasks",
        "mlenergy-points": "jouleproof.inputs.stand_in.mlenergy:measurements",
        "surf-fragments": "jouleproof.inputs.stand_in.surf:fragments",
        "surf-tasks": "jouleproof.inputs.stand_in.surf:tasks",
        "splitwise-medians": "jouleproof.inputs.stand_in.splitwise:profile",
        "gsm8k-test": "jouleproof.inputs.stand_in.gsm8k:test_split",
        "gsm8k-train": "jouleproof.inputs.stand_in.gsm8k:train_split",
    }
)


def generate(name: str, seed: int) -> bytes:
    """Generate the content of the stand-in of that name. seed: >= 0."""
    module, _, function = GENERATORS[name].partition(":")
    return cast(Callable[[int], bytes], getattr(import_module(module), function))(seed)
