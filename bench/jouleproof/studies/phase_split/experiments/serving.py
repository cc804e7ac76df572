"""Requests that a real engine serves with mixed, chunked and split phases, and the simulator's predictions for them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import MEASURED, SIMULATED, tidy
from jouleproof.inputs import Problem
from jouleproof.models.continuation import greedy
from jouleproof.models.decoder import Decoder
from jouleproof.models.runner import Runner
from jouleproof.models.shapes import Shape
from jouleproof.models.smollm2 import LanguageModel
from jouleproof.progress import Step, steps
from jouleproof.serving.config import ServingConfig
from jouleproof.serving.engine.cost_laws import fitted, halves, predicted
from jouleproof.serving.engine.fleet import Fleet, started_fleet
from jouleproof.serving.engine.grid import measured, measured_shapes, probes, prompt_capacity
from jouleproof.serving.engine.latencies import FEWEST, QUANTILES, Latencies, latencies, pooled, quantiles, starved
from jouleproof.serving.engine.prediction import served_model, simulated, simulated_design
from jouleproof.serving.engine.router import Request, Served, serve
from jouleproof.serving.engine.setup import MODES, fleet_plan, rules, served_decoder
from jouleproof.serving.engine.token_check import sameness
from jouleproof.serving.engine.traffic import arrivals, scaled, with_text
from jouleproof.serving.simulator.cost_model import Performance
from jouleproof.serving.simulator.served_models import ServedModel
from jouleproof.serving.simulator.workload import Requests
from jouleproof.studies.phase_split.config import PhaseSplitConfig

PROBES = 2  # measurements of each probe between two runs
CURVE = (*np.round(np.arange(0.02, 1.0, 0.02), 2), 0.99, 0.995, 0.998)
EVERY = "every"  # load, or mode

Row = dict[str, Any]


@dataclass(frozen=True)
class EngineRun:
    """One run of a mode under a load. requests, asked: its requests, without and with their text. latencies: of
    requests that count. voids: number of earlier attempts that lacked processor time. probe_s: (shapes,) seconds of a
    few iterations right before and after the run."""

    mode: str
    load: float
    repeat: int
    requests: Requests
    asked: list[Request]
    served: Served
    latencies: Latencies
    voids: int
    probe_s: np.ndarray

    @property
    def factors(self) -> Row:
        return {"mode": self.mode, "load": self.load, "over": "run", "repeat": self.repeat}


def serving(
    config: PhaseSplitConfig,
    azure_conv: pd.DataFrame,
    azure_code: pd.DataFrame,
    gsm8k_test: Sequence[Problem],
    smollm2_135m: LanguageModel,
) -> pd.DataFrame:
    """Measure a small engine under load, with mixed, chunked and split phases, and compare it with the simulator."""
    trace = {"conv": azure_conv, "code": azure_code}[config.serving.service]
    decoder, words = served_decoder(config.engine, config.engine.layers, gsm8k_test, smollm2_135m)
    return served(config, trace, words, decoder)


def served(config: PhaseSplitConfig, trace: pd.DataFrame, words: Sequence[int], decoder: Decoder) -> pd.DataFrame:
    """Measure latencies in every mode at every load, by run and pooled over runs; predict them with the simulator from
    half of the measured shapes; and compare the tokens of all modes.

    decoder: the served model. words: tokens from which prompts are cut. load: share of the prompt workers' capacity. A
    run in which a worker got less than 95 % of the processor time that its iterations took is void and repeated. As the
    speed of a shared machine varies from second to second, a few shapes are measured before and after each run, and the
    fitted times are scaled accordingly for the prediction of that run.
    """
    settings = config.serving
    lengths, left_out = scaled(trace, settings.scale, config.engine.capacity)
    shapes = measured_shapes(config.engine)
    probed = probes(shapes)
    step = steps("phase_split serving", 2 + settings.repeats * len(settings.loads) * len(MODES))
    with started_fleet(fleet_plan(config.engine), decoder) as fleet:
        most = prompt_capacity(fleet, config.engine, lengths)
        step("capacity of the prompt workers")
        link = _link(fleet, config, words)
        step("rate of cache transfers")
        runs: list[EngineRun] = []
        seconds: list[np.ndarray] = []  # of shapes, measured before every repeat, as the machine's speed varies
        for repeat in range(settings.repeats):
            seconds.append(measured(fleet, shapes, probed, settings.shape_repeats))
            by_load = {load: arrivals(lengths, load * most, settings.requests, repeat) for load in settings.loads}
            runs += _runs(fleet, config, by_load, repeat, words, probed, step)
    times = dict(zip(shapes, np.median(np.concatenate(seconds, axis=1), axis=(0, 1)).tolist(), strict=True))
    first, second = halves(shapes)
    law = fitted({shape: times[shape] for shape in first})
    rows = [
        *_conditions(most, left_out, fleet.children.placed),
        *_errors_of(law, {shape: times[shape] for shape in second}),
        *_measured(runs),
        *_over_mixed(runs),
        *_predicted(runs, config, law, link, served_model(decoder), probed),
        *_tokens(runs, settings, decoder),
        *_moves(runs),
    ]
    return tidy(({"mode": EVERY, "load": 0.0, "over": "-", "quantile": 0.0, **row} for row in rows), tier=MEASURED)


def _link(fleet: Fleet, config: PhaseSplitConfig, words: Sequence[int]) -> float:
    """Measure the bytes/s of cache transfers, casts and copies included."""
    prompt = min(128, config.engine.capacity - 2)
    few = Requests(np.linspace(0.0, 1.0, 6), np.full(6, prompt, np.int32), np.full(6, 2, np.int32))
    outcomes = serve(fleet, with_text(few, words, 0), rules("split", config.engine, config.serving)).outcomes
    return float(np.median([outcome.moved_bytes / (outcome.sent_s + outcome.taken_s) for outcome in outcomes[1:]]))


def _runs(
    fleet: Fleet,
    config: PhaseSplitConfig,
    requests_by_load: Mapping[float, Requests],
    repeat: int,
    words: Sequence[int],
    probed: Sequence[Shape],
    step: Step,
) -> Iterator[EngineRun]:
    """Run every mode at every load and yield the runs; each repeat begins with a different mode."""
    modes = list(MODES)
    after = measured(fleet, probed, probed, PROBES)
    for load, requests in requests_by_load.items():
        asked = with_text(requests, words, repeat)
        for place in range(len(modes)):
            mode = modes[(place + repeat) % len(modes)]
            for voids in range(config.serving.tries):
                before, served = after, serve(fleet, asked, rules(mode, config.engine, config.serving))
                after = measured(fleet, probed, probed, PROBES)
                probe_s = np.median(np.concatenate([before, after], axis=1), axis=(0, 1))
                latency = latencies(asked, served, config.serving.warm_up)
                last = EngineRun(
                    mode=mode,
                    load=load,
                    repeat=repeat,
                    requests=requests,
                    asked=asked,
                    served=served,
                    latencies=latency,
                    voids=voids,
                    probe_s=probe_s,
                )
                if not starved(served):
                    break
            yield last
            step(f"{mode} at {load:g} of the prompt workers' capacity, repeat {repeat + 1}")


def _conditions(most: float, left_out: float, placed: bool) -> Iterator[Row]:
    yield {"metric": "prompt_capacity", "unit": "1/s", "value": most}
    yield {"metric": "left_out", "unit": "share", "value": left_out}
    yield {"metric": "cores_of_their_own", "unit": "1", "value": float(placed)}


def _errors_of(law: Performance, seconds: Mapping[Shape, float]) -> Iterator[Row]:
    """Yield the mean relative errors of a law on shapes to which it was not fitted."""
    kinds = {"prompts alone": (True, False), "decodes alone": (False, True), "both": (True, True)}
    for kind, present in kinds.items():
        errors = [
            abs(predicted(law, shape) / time - 1)
            for shape, time in seconds.items()
            if (shape.prompt > 0, shape.decodes > 0) == present
        ]
        factors = {"metric": "error_of_law", "unit": "share", "over": kind, "tier": SIMULATED}
        yield {**factors, "value": float(np.mean(errors))}


def _measured(runs: Sequence[EngineRun]) -> Iterator[Row]:
    for run in runs:
        yield from ({**run.factors, **row} for row in quantiles(run.latencies, QUANTILES))
        counts = {
            "voids": float(run.voids),
            "void": float(starved(run.served)),
            "not_done": float(sum(outcome.status != "done" for outcome in run.served.outcomes)),
            "cpu_share": min(run.served.cpu_share),
            "router_share": run.served.router_cpu_s / run.served.wall_s,
        }
        yield from ({**run.factors, "metric": name, "unit": "1", "value": value} for name, value in counts.items())
    for (mode, load), repeats in _by_mode(runs).items():
        factors, latency = {"mode": mode, "load": load, "over": "pooled"}, pooled(run.latencies for run in repeats)
        yield from ({**factors, **row} for row in quantiles(latency, CURVE))
        for metric in FEWEST:
            yield {**factors, "metric": f"{metric}_count", "unit": "1", "value": float(len(getattr(latency, metric)))}


def _by_mode(runs: Sequence[EngineRun]) -> dict[tuple[str, float], list[EngineRun]]:
    by_mode: dict[tuple[str, float], list[EngineRun]] = {}
    for run in runs:
        by_mode.setdefault((run.mode, run.load), []).append(run)
    return by_mode


def _mixed(runs: Sequence[EngineRun]) -> dict[tuple[float, int], EngineRun]:
    """Return the mixed runs by load and repeat."""
    return {(run.load, run.repeat): run for run in runs if run.mode == "mixed"}


def _over_mixed(runs: Sequence[EngineRun]) -> Iterator[Row]:
    """Yield ratios of latencies to those of the mixed run of the same requests."""
    mixed = _mixed(runs)
    for run in runs:
        base = _by_quantile(mixed[run.load, run.repeat].latencies)
        if run.mode != "mixed":
            for (metric, level), value in _by_quantile(run.latencies).items():
                name = f"{metric.removesuffix('_s')}_over_mixed"
                ratio = value / base[metric, level]
                yield {**run.factors, "quantile": level, "metric": name, "unit": "ratio", "value": ratio}


def _by_quantile(latency: Latencies) -> dict[tuple[str, float], float]:
    return {(row["metric"], row["quantile"]): row["value"] for row in quantiles(latency, QUANTILES)}


def _predicted(
    runs: Sequence[EngineRun],
    config: PhaseSplitConfig,
    law: Performance,
    link: float,
    model: ServedModel,
    probed: Sequence[Shape],
) -> Iterator[Row]:
    for (mode, load), repeats in _by_mode(runs).items():
        predictions = []
        for run in repeats:
            pace = float(np.mean(run.probe_s / [predicted(law, shape) for shape in probed]))
            yield {**run.factors, "metric": "pace", "unit": "x", "value": pace}
            design = simulated_design(mode, config.engine, config.serving, law.slowed(pace), model)
            predictions.append(simulated(design, run.requests, link, model, config.serving.warm_up))
        factors = {"mode": mode, "load": load, "over": "predicted", "tier": SIMULATED}
        prediction, truth = pooled(predictions), _by_quantile(pooled(run.latencies for run in repeats))
        yield from ({**factors, **row} for row in quantiles(prediction, CURVE))
        for (metric, level), value in _by_quantile(prediction).items():
            if (metric, level) in truth:
                name, error = f"{metric.removesuffix('_s')}_error", value / truth[metric, level] - 1
                yield {**factors, "quantile": level, "metric": name, "unit": "share", "value": error}


def _tokens(runs: Sequence[EngineRun], settings: ServingConfig, decoder: Decoder) -> Iterator[Row]:
    """Yield counts of requests by whether their tokens equal the mixed run's and, for some, the plain decoder's."""
    mixed = _mixed(runs)
    counts = {mode: {"same": 0, "near_tie": 0, "different": 0} for mode in (*MODES, "plain")}
    for run in runs:
        expected = mixed[run.load, run.repeat].served.outcomes
        for request, one, other in zip(run.asked, expected, run.served.outcomes, strict=True):
            if one.status == other.status == "done":
                counts[run.mode][sameness(decoder, request.prompt, one.tokens, other.tokens, settings.near_tie)] += 1
    first = next(iter(mixed.values()))
    for request, outcome in list(zip(first.asked, first.served.outcomes, strict=True))[: settings.checked]:
        plain = alone(decoder, request)
        counts["plain"][sameness(decoder, request.prompt, plain, outcome.tokens, settings.near_tie)] += 1
    del counts["mixed"]
    for mode, outcomes in counts.items():
        for name, count in outcomes.items():
            yield {"mode": mode, "metric": f"tokens_{name}", "unit": "requests", "value": float(count)}


def alone(decoder: Decoder, request: Request) -> list[int]:
    """Return the tokens that the plain decoder generates for a request."""
    runner = Runner(decoder, 1, len(request.prompt) + request.output, plain=True)
    return greedy(runner, request.prompt, request.output)


def _moves(runs: Sequence[EngineRun]) -> Iterator[Row]:
    """Yield means over the requests whose cache moved: work of both workers, also as a share of the end-to-end latency;
    the time from the first token until the cache is in place, with any wait for an iteration to end; and bytes."""
    for run in runs:
        moved = [
            (outcome, outcome.times_s[-1] - request.arrival_s)
            for request, outcome in zip(run.asked, run.served.outcomes, strict=True)
            if outcome.moved_bytes and outcome.status == "done"
        ]
        if not moved:
            continue
        work = [outcome.sent_s + outcome.taken_s for outcome, _ in moved]
        values = {
            "moving_s": ("s", np.mean(work)),
            "moving_share": ("share", np.sum(work) / np.sum([lasted for _, lasted in moved])),
            "handover_s": ("s", np.mean([outcome.arrived_s - outcome.times_s[0] for outcome, _ in moved])),
            "moved_bytes": ("B", np.mean([outcome.moved_bytes for outcome, _ in moved])),
        }
        yield from (
            {**run.factors, "metric": name, "unit": unit, "value": float(value)}
            for name, (unit, value) in values.items()
        )
