"""Matrix-vector products on packed weights: does fetching fewer bytes save time?"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.measure.caches import cache_bytes
from jouleproof.measure.clocks import Stopwatch
from jouleproof.measure.threads import cores, settle
from jouleproof.progress import steps
from jouleproof.studies.mx import registry
from jouleproof.studies.mx.config import MxConfig
from jouleproof.studies.mx.products import FIRST_ROWS, FLOAT32, READ, Product, products

MOST_CALLS = 64  # calls per timing of a small matrix; the largest matrix takes one call
BLOCK_ROWS = 512  # rows of random numbers; taller matrices repeat them


def matvec(config: MxConfig) -> pd.DataFrame:
    """Time every product once per round, and compare it with float32 products.

    The table holds the speed over the fastest float32 product and over that of torch in the same round, the error of
    the sums against float64 sums over the same weights, and the sizes of the caches.
    """
    settings = config.matvec
    torch.set_num_threads(cores())
    formats = registry.formats(config.formats)
    largest = max(rows * columns for rows, columns in settings.shapes)
    step = steps("mx matvec", len(settings.shapes))
    rows: list[dict[str, Any]] = []
    for shape in settings.shapes:
        matrix, x = random_product(*shape)
        candidates = products(matrix, x, formats)
        calls = min(MOST_CALLS, largest // matrix.size)
        factors = {"rows": shape[0], "columns": shape[1]}
        rows += [{**factors, **row} for row in (*_timed(candidates, settings.repeats, calls), *_errors(candidates, x))]
        step(f"{shape[0]} x {shape[1]}")
    nothing = {"rows": 0, "columns": 0, "library": "-", "activations": "-", "metric": "cache", "unit": "B"}
    rows += [{**nothing, "format": name, "value": float(size)} for name, size in cache_bytes().items()]
    return tidy(rows, tier=MEASURED)


def random_product(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a (rows, columns) matrix that repeats every BLOCK_ROWS rows, and a (columns,) vector; Gaussian float32."""
    rng = np.random.default_rng([rows, columns])
    block = rng.standard_normal((min(rows, BLOCK_ROWS), columns), dtype=np.float32)
    return np.tile(block, (-(-rows // len(block)), 1))[:rows], rng.standard_normal(columns, dtype=np.float32)


def _timed(candidates: Sequence[Product], repeats: int, calls: int) -> list[dict[str, Any]]:
    for product in candidates:
        product.run()
    seconds = np.empty((repeats, len(candidates)))
    for repeat in range(repeats):
        for number, product in enumerate(candidates):
            if number == 0 or product.library != candidates[number - 1].library:
                settle()
            product.run()
            watch = Stopwatch()
            for _ in range(calls):
                product.run()
            seconds[repeat, number] = watch.wall_s() / calls
    plain = [number for number, product in enumerate(candidates) if product.format == FLOAT32]
    by_torch = next(number for number in plain if candidates[number].library == "torch")
    fastest = plain[int(np.median(seconds[:, plain], axis=0).argmin())]
    rows = []
    for repeat, round_ in enumerate(seconds):
        for product, time in zip(candidates, round_, strict=True):
            factors = {**_factors(product), "repeat": repeat}
            rows.append({**factors, "metric": "time", "unit": "s", "value": time})
            rows.append({**factors, "metric": "over_float32", "unit": "x", "value": round_[fastest] / time})
            rows.append({**factors, "metric": "over_torch_mv", "unit": "x", "value": round_[by_torch] / time})
    return rows


def _errors(candidates: Sequence[Product], x: np.ndarray) -> list[dict[str, Any]]:
    """Return rows with the largest error of the first sums, over the largest sum, and the bytes of weights read."""
    rows = []
    for product in candidates:
        rows.append({**_factors(product), "metric": "weight_bytes", "unit": "B", "value": float(product.weight_bytes)})
        if product.format == READ:
            continue
        result = torch.as_tensor(product.run()).float().reshape(-1)[:FIRST_ROWS].numpy()
        exact = product.first_rows().astype(np.float64) @ x.astype(np.float64)
        error = np.abs(result - exact).max() / np.abs(exact).max()
        rows.append({**_factors(product), "metric": "error_of_sums", "unit": "1", "value": float(error)})
    return rows


def _factors(product: Product) -> dict[str, Any]:
    return {"library": product.library, "format": product.format, "activations": product.activations}
