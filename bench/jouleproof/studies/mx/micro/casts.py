"""Benchmarks of casts in this library and others, and of a plain copy, with settings from the environment.

The experiment `throughput` runs them. Rounds are short and grouped in passes, every case once per pass, so that a
disturbance affects every case.
"""

import json
import os
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from jouleproof.formats import FORMATS, MXArray, fake_quantize, quantize
from jouleproof.studies.mx import registry
from jouleproof.studies.mx.peers import quantizers

SETTINGS = json.loads(os.environ["JOULEPROOF_CASTS"])
FORMATS_HERE = registry.formats(SETTINGS["formats"])
COPY = "-"


def cases() -> list[dict[str, Any]]:
    """Return the cases: operation, library, format, out (given or new), elements; peers run in fewer passes."""
    library_cases = []
    for out in ("given", "new"):
        library_cases.append({"operation": "copy", "library": "torch", "format": COPY, "out": out})
        for operation in ("fake_quantize", "quantize", "dequantize"):
            library_cases += [
                {"operation": operation, "library": "jouleproof", "format": name, "out": out} for name in FORMATS_HERE
            ]
    ours = [{**case, "elements": SETTINGS["elements"], "passes": SETTINGS["passes"]} for case in library_cases]
    peers = [
        {"operation": operation, "library": library, "format": name, "out": "new"}
        | {"elements": SETTINGS["elements" if library == "torchao" else "slow_elements"]}
        | {"passes": SETTINGS["peer_passes"]}
        for name in FORMATS_HERE
        if SETTINGS["threads"] == max(SETTINGS["counts"]) and FORMATS.get(name) is FORMATS_HERE[name]
        for library, operation in quantizers(name)
    ]
    cases = [*ours, *peers]
    return [{**case, "pass": n} for n in range(SETTINGS["passes"]) for case in cases if n < case["passes"]]


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case['library']}-{case['operation']}-{case['format']}")
def test_cast(benchmark: Any, case: dict[str, Any]) -> None:
    torch.set_num_threads(SETTINGS["threads"])
    benchmark.extra_info.update({**case, "threads": SETTINGS["threads"]})
    benchmark.pedantic(work(case), rounds=SETTINGS["rounds"], iterations=1, warmup_rounds=case["pass"] == 0)


def work(case: dict[str, Any]) -> Callable[[], Any]:
    """Return the function to time. If a case passes output memory, that memory has been written to before."""
    given, (x, target) = case["out"] == "given", (part[: case["elements"]] for part in memory())
    if case["operation"] == "copy":
        return (lambda: target.copy_(x)) if given else (lambda: torch.clone(x))
    if case["library"] != "jouleproof":
        cast = quantizers(case["format"])[case["library"], case["operation"]]
        return lambda: cast(x)
    fmt, written = FORMATS_HERE[case["format"]], packed(case["format"])
    return {
        "fake_quantize": lambda: fake_quantize(x, fmt, out=target if given else None),
        "quantize": lambda: quantize(x, fmt, out=written if given else None),
        "dequantize": lambda: written.dequantize(out=target if given else None),
    }[case["operation"]]


@cache
def memory() -> tuple[torch.Tensor, torch.Tensor]:
    """Return Gaussian float32, (elements,), and output memory of the same size."""
    x = torch.from_numpy(np.random.default_rng(0).standard_normal(SETTINGS["elements"], dtype=np.float32))
    return x, torch.zeros_like(x)


@cache
def packed(name: str) -> MXArray:
    return quantize(memory()[0], FORMATS_HERE[name])
