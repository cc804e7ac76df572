"""Times of accelerators from the measurements that NVIDIA's aiconfigurator-core ships (optional extra
`aiconfigurator`).

They are for Llama-3.1-70B in 16 bits under vLLM, the closest match to the profile's Llama2-70B. The software stack is
newer, so machines with such times should be compared only with each other.
"""

import logging
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from jouleproof.errors import UserError
from jouleproof.serving.simulator.profile import DecodeLaw, decode_error, decode_law

PREFIX = "aiconfigurator:"  # of a machine's profile, followed by the system, such as h200_sxm
STANDS_FOR = "llama2-70b"
MODEL, BACKEND = "meta-llama/Meta-Llama-3.1-70B", "vllm"
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)  # sequences
CONTEXTS = (128, 512, 1024, 2048, 4096)  # tokens per sequence


@lru_cache
def laws(system: str, tensor_parallel: int, tokens: tuple[float, ...]) -> tuple[np.ndarray, DecodeLaw, float]:
    """Return the seconds of a prompt for each number of tokens, the decode law, and that law's mean relative error.

    Raises UserError if the package is not installed or does not support the system.
    """
    engine = _engine(system, tensor_parallel)
    prompt_s = np.array([engine.predict_prefill_latency(1, int(count)) for count in tokens]) / 1e3
    measured = pd.DataFrame(
        [
            {
                "batch_size": batch,
                "prompt_size": context,
                "tokens_made": 0,
                "token_time_s": engine.predict_decode_latency(batch, context) / 1e3,
            }
            for batch in BATCHES
            for context in CONTEXTS
        ]
    )
    law = decode_law(measured)
    return prompt_s, law, decode_error(law, measured)


def _engine(system: str, tensor_parallel: int) -> Any:
    try:
        from aiconfigurator_core.sdk import EngineHandle
    except ImportError as error:
        raise UserError(
            f"profile {PREFIX}{system} needs aiconfigurator-core: python workflows/lock.py install aiconfigurator"
        ) from error
    logging.getLogger("aiconfigurator_core").setLevel(logging.ERROR)  # it reports tables that are not used here
    try:
        return EngineHandle.compile(MODEL, system, BACKEND, tp_size=tensor_parallel)
    except (ValueError, RuntimeError, LookupError, OSError) as error:
        raise UserError(f"aiconfigurator-core has no data for the system {system!r}: {error}") from error
