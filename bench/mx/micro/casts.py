"""Casts by this library and by others, beside a plain copy. Reads its settings from the environment: see `throughput`.

Rounds are short and come in passes, every case once per pass, so that a disturbance hits all cases alike.
"""

import json
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from bench.formats import FORMATS, fake_quantize, quantize
from bench.mx import named
from bench.mx.peers import quantisers

SETTINGS = json.loads(os.environ["JOULEPROOF_CASTS"])
FORMATS_HERE = named.formats(SETTINGS["formats"])
COPY = "-"


def cases() -> list[dict[str, Any]]:
    """operation, library, format, out (given or new), elements; what is slow comes in fewer passes."""
    found = []
    for out in ("given", "new"):
        found.append({"operation": "copy", "library": "torch", "format": COPY, "out": out})
        for operation in ("fake_quantize", "quantize", "dequantize"):
            found += [
                {"operation": operation, "library": "jouleproof", "format": name, "out": out} for name in FORMATS_HERE
            ]
    ours = [{**case, "elements": SETTINGS["elements"], "passes": SETTINGS["passes"]} for case in found]
    peers = [
        {"operation": operation, "library": library, "format": name, "out": "new", "passes": SETTINGS["peer_passes"],
         "elements": SETTINGS["elements" if library == "torchao" else "slow_elements"]}
        for name in FORMATS_HERE
        if FORMATS.get(name) is FORMATS_HERE[name]
        for library, operation in quantisers(name)
    ]  # fmt: skip
    return [{**case, "pass": number} for number in range(SETTINGS["passes"]) for case in [*ours, *peers]
            if number < case["passes"]]  # fmt: skip


@pytest.fixture(scope="module")
def x() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).standard_normal(SETTINGS["elements"], dtype=np.float32))


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case['library']}-{case['operation']}-{case['format']}")
def test_cast(benchmark: Any, case: dict[str, Any], x: torch.Tensor) -> None:
    torch.set_num_threads(SETTINGS["threads"])
    benchmark.extra_info.update({**case, "threads": SETTINGS["threads"]})
    run = work(case, x[: case["elements"]])
    benchmark.pedantic(run, rounds=SETTINGS["rounds"], iterations=1, warmup_rounds=case["pass"] == 0)


def work(case: dict[str, Any], x: torch.Tensor) -> Callable[[], Any]:
    """What is timed."""
    given = case["out"] == "given"
    target = torch.empty_like(x)
    if case["operation"] == "copy":
        return (lambda: target.copy_(x)) if given else (lambda: torch.clone(x))
    if case["library"] != "jouleproof":
        cast = quantisers(case["format"])[case["library"], case["operation"]]
        return lambda: cast(x)
    fmt = FORMATS_HERE[case["format"]]
    packed = quantize(x, fmt)
    return {
        "fake_quantize": lambda: fake_quantize(x, fmt, out=target if given else None),
        "quantize": lambda: quantize(x, fmt, out=packed if given else None),
        "dequantize": lambda: packed.dequantize(out=target if given else None),
    }[case["operation"]]
