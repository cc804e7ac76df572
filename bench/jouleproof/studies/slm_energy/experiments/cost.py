"""Processor time, operations and bytes of real shapes, on one core with one engine."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch

from jouleproof.evidence.tables import MEASURED, tidy
from jouleproof.models.decoder import Decoder, random_decoder
from jouleproof.models.decoder_shape import DecoderShape
from jouleproof.models.runner import Piece, Runner
from jouleproof.models.shapes import Shape, flops, read_bytes
from jouleproof.models.smollm2 import LanguageModel
from jouleproof.power.meters import Meter, open_meter
from jouleproof.progress import steps
from jouleproof.studies.slm_energy.config import CostConfig, SlmEnergyConfig
from jouleproof.studies.slm_energy.registry import shapes as named_shapes
from jouleproof.studies.slm_energy.rows import repeat_rows
from jouleproof.studies.slm_energy.timing import CLOCK, cpu_s, joules, one_core
from jouleproof.studies.slm_energy.weight_formats import FLOAT32, WeightFormat, weight_formats

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
DECODES_PER_ROUND = 2
ALONE = 1  # texts side by side
ANSWERS = ("calculator_step", "choice", "exact_match")  # metrics of the tasks that mark right answers


@dataclass(frozen=True)
class Cell:
    """One model in one format. weights: "real" or "random", which takes the same time."""

    model: str
    weights: str
    dtype: str
    runner: Runner

    @property
    def factors(self) -> dict[str, str]:
        return {"model": self.model, "weights": self.weights, "format": self.dtype}

    @property
    def computing(self) -> float:
        """Parameters that take part in a product for every token, with the head but without the embedding's look-up."""
        return self.runner.weight_bytes / self.runner.dtype.itemsize


def cost(config: SlmEnergyConfig, smollm2_135m: LanguageModel, quality: pd.DataFrame) -> pd.DataFrame:
    """Measure the processor time of real shapes; the shape of SmolLM2-135M has its real weights.

    All cells take turns in a round, after a warm-up round. Block formats hold the real weights of the layers; the head
    stays float32, and a token is written alone.

    cpu_ms_per_token: of a prompt, and of tokens written after it, by texts side by side (batch). cpu_s_per_answer: with
    the lengths that the real model read and wrote. cpu_s_per_correct: the same over the accuracy, which is drawn from
    its posterior. per_doubling: factor on cpu_s_per_answer for each doubling of the parameters that compute, from the
    smallest to the largest shape. joules_per_token: if this machine has counters.
    """
    settings, decoder = config.cost, smollm2_135m.network
    shapes = _shapes(settings)
    meter = open_meter(config.meters.meter)
    rows: list[dict[str, Any]] = []
    with one_core():
        cells = _all_cells(settings, decoder)
        formats, alone = weight_formats(config.quality.formats), Shape(decodes=ALONE, context=settings.prompt)
        for cell in cells:
            rows += _exact(cell, shapes, formats)
        packed = [cell for of in cells if _real_float32(of) for cell in _packed_cells(of, formats, decoder)]
        step = steps("slm_energy cost", settings.repeats + 1)
        seconds, of_packed = [], []
        for number in range(settings.repeats + 1):
            seconds.append([[_cpu_s_per_token(cell.runner, shape) for shape in shapes] for cell in cells])
            of_packed.append([[_cpu_s_per_token(cell.runner, alone)] for cell in packed])
            step(f"round {number}")
        for cell in cells:
            rows += _joules(cell, shapes, meter)
        for cell in packed:
            rows += _joules(cell, [alone], meter)
    timed = np.array(seconds[1:])  # rounds, cells, shapes
    rows += _times(cells, shapes, timed)
    rows += _times(packed, [alone], np.array(of_packed[1:]))
    rows += _answers(cells, timed, settings, quality[quality["model"] == smollm2_135m.name])
    return tidy({"batch": 1, "task": "none", "source": CLOCK, "tier": MEASURED, **row} for row in rows)


def _shapes(settings: CostConfig) -> list[Shape]:
    return [Shape(prompt=settings.prompt), *(Shape(decodes=many, context=settings.prompt) for many in settings.batches)]


def _all_cells(settings: CostConfig, decoder: Decoder) -> list[Cell]:
    """Build all cells, in the order of the config. The largest is built first, so that its random weights are freed
    before others are allocated."""
    shapes = named_shapes(settings.shapes)
    cells = {
        name: _cells(name, shapes[name], settings, decoder)
        for name in sorted(shapes, key=lambda name: -shapes[name].width * shapes[name].layers)
    }
    return [cell for name in shapes for cell in cells[name]]


def _cells(name: str, shape: DecoderShape, settings: CostConfig, decoder: Decoder) -> list[Cell]:
    """Build one cell per number format."""
    real = _sizes(decoder.shape) == _sizes(shape)
    network = decoder if real else random_decoder(shape, seed=0)
    slots, capacity = max(settings.batches) + 1, settings.prompt + 1
    weights = "real" if real else "random"
    return [Cell(name, weights, dtype, Runner(network, slots, capacity, dtype=kind)) for dtype, kind in DTYPES.items()]


def _real_float32(cell: Cell) -> bool:
    return cell.weights == "real" and cell.dtype == FLOAT32.name


def _packed_cells(cell: Cell, formats: Sequence[WeightFormat], decoder: Decoder) -> list[Cell]:
    return [
        Cell(cell.model, cell.weights, fmt.name, cell.runner.packed(decoder, fmt.packed))
        for fmt in formats
        if fmt.packed
    ]


def _sizes(shape: DecoderShape) -> tuple[int, ...]:
    return shape.vocabulary, shape.layers, shape.width, shape.mlp_width, shape.heads, shape.kv_heads


def _cpu_s_per_token(runner: Runner, shape: Shape) -> float:
    pieces = shape.pieces(runner.shape.vocabulary)
    rounds = 1 if shape.prompt else DECODES_PER_ROUND

    def run() -> None:
        for _ in range(rounds):
            _run(runner, pieces)

    return cpu_s(run) / rounds / (shape.prompt or shape.decodes)


def _run(runner: Runner, pieces: Sequence[Piece]) -> None:
    runner.run(pieces).argmax(dim=1).tolist()


def _times(cells: Sequence[Cell], shapes: Sequence[Shape], timed: np.ndarray) -> Iterator[dict[str, Any]]:
    """Yield the processor time of tokens. timed: (rounds, cells, shapes) CPU seconds per token."""
    for number, cell in enumerate(cells):
        for at, shape in enumerate(shapes):
            factors = {**cell.factors, **_phase(shape), "metric": "cpu_ms_per_token", "unit": "ms"}
            yield from repeat_rows(factors, 1e3 * timed[:, number, at])


def _phase(shape: Shape) -> dict[str, Any]:
    return {"phase": "prompt" if shape.prompt else "token", "batch": shape.decodes or 1}


def _exact(cell: Cell, shapes: Sequence[Shape], formats: Sequence[WeightFormat]) -> Iterator[dict[str, Any]]:
    """Yield operations, and the fewest bytes that must be read: weights at each format's width, and the cache."""
    if cell.dtype != FLOAT32.name:
        return
    yield {**cell.factors, "phase": "all", "metric": "computing_parameters", "unit": "1", "value": cell.computing}
    for shape in shapes:
        tokens = shape.prompt or shape.decodes
        factors = {**cell.factors, **_phase(shape)}
        yield {**factors, "metric": "flops_per_token", "unit": "FLOP", "value": flops(cell.runner, shape) / tokens}
        cached = read_bytes(cell.runner, shape) - cell.runner.weight_bytes
        for fmt in formats:
            size = _weight_bytes(cell.runner, fmt.bits) + cached
            yield {**factors, "format": fmt.name, "metric": "bytes_per_token", "unit": "B", "value": size / tokens}


def _weight_bytes(runner: Runner, bits: float) -> float:
    """Return the bytes of all weights. The head, which is also the embedding, is narrower only in bfloat16."""
    body = (runner.weight_bytes - runner.head_bytes) / 4 * bits / 8
    return body + runner.head_bytes * (0.5 if bits == 16 else 1.0)


def _joules(cell: Cell, shapes: Sequence[Shape], meter: Meter) -> Iterator[dict[str, Any]]:
    for shape in shapes:
        for source, counted in joules(meter, partial(_run, cell.runner, shape.pieces(cell.runner.shape.vocabulary))):
            value = counted / (shape.prompt or shape.decodes)
            factors = {**cell.factors, **_phase(shape), "source": source}
            yield {**factors, "metric": "joules_per_token", "unit": "J", "value": value}


def _answers(
    cells: Sequence[Cell], timed: np.ndarray, settings: CostConfig, quality: pd.DataFrame
) -> Iterator[dict[str, Any]]:
    """Yield the processor time of answers and of right ones; none without a score of the timed model. timed: (rounds,
    cells, shapes) CPU seconds per token. quality: scores of that model."""
    rng = np.random.default_rng(0)
    plain = quality[(quality["format"] == FLOAT32.name) & quality["metric"].isin(ANSWERS)]
    for metric, scores in plain.groupby("metric", sort=False):
        read, written = scores["prompt"].mean(), scores["output"].mean() if scores["task"].iloc[0] == "problems" else 0
        right, items = scores["value"].sum(), len(scores)
        accuracy = rng.beta(right + 0.5, items - right + 0.5, settings.draws)
        for at, batch in enumerate(settings.batches, 1):
            if not written and batch > 1:
                continue
            per_answer = read * timed[:, :, 0] + written * timed[:, :, at]  # rounds, cells
            factors = {"phase": "answer", "batch": batch, "task": str(metric)}
            for number, cell in enumerate(cells):
                named = {**cell.factors, **factors, "unit": "s"}
                yield from repeat_rows({**named, "metric": "cpu_s_per_answer"}, per_answer[:, number])
                if cell.weights == "real":
                    costs = rng.choice(per_answer[:, number], settings.draws) / accuracy
                    yield from repeat_rows({**named, "metric": "cpu_s_per_correct"}, costs)
            yield from _per_doubling(cells, per_answer, factors)


def _per_doubling(cells: Sequence[Cell], per_answer: np.ndarray, factors: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the ratio of the largest to the smallest shape, and the factor per doubling, by format."""
    for dtype in DTYPES:
        by_size = sorted((cell.computing, number) for number, cell in enumerate(cells) if cell.dtype == dtype)
        (few, small), (many, large) = by_size[0], by_size[-1]
        if few == many:
            continue
        ratio = per_answer[:, large] / per_answer[:, small]
        weights = f"{cells[large].weights} over {cells[small].weights}"
        pair = {"model": f"{cells[large].model} over {cells[small].model}", "weights": weights, "format": dtype}
        named = {**pair, **factors, "unit": "x"}
        yield from repeat_rows({**named, "metric": "per_doubling"}, ratio ** (1 / np.log2(many / few)))
        yield from repeat_rows({**named, "metric": "larger_over_smaller"}, ratio)
