"""A single run of the engine for `jouleproof serving serve`: one row per request, and the table of latencies."""

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from jouleproof import inputs
from jouleproof.files import atomic
from jouleproof.models.decoder import Decoder, first_layers, random_decoder
from jouleproof.models.smollm2 import SHAPES, load_smollm2
from jouleproof.serving.config import EngineConfig, ServingConfig
from jouleproof.serving.engine.fleet import started_fleet
from jouleproof.serving.engine.grid import prompt_capacity
from jouleproof.serving.engine.latencies import QUANTILES, latencies, quantiles
from jouleproof.serving.engine.router import Request, Served, serve
from jouleproof.serving.engine.setup import fleet_plan, rules, served_decoder
from jouleproof.serving.engine.traffic import arrivals, scaled, with_text
from jouleproof.serving.engine.transport import Move


def run(
    engine: EngineConfig,
    serving: ServingConfig,
    records: Mapping[str, inputs.Record],
    mode: str,
    load: float,
    move: Move,
    seed: int,
    out: Path,
) -> str:
    """Serve a trace and return the table of latencies as text. load: share of the prompt workers' capacity. Raises
    UserError if an input or a port is not available, or a name is unknown."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="jouleproof-serve-") as folder:
        trace_name, texts_name = f"azure_{serving.service}", "gsm8k_test"
        trace = inputs.read_trace((records.get(trace_name) or _resolved(trace_name, Path(folder))).path())
        problems = inputs.read_gsm8k((records.get(texts_name) or _resolved(texts_name, Path(folder))).path())
        decoder, words = _model(engine, records, Path(folder), problems)
    lengths, _ = scaled(trace, serving.scale, engine.capacity)
    with started_fleet(fleet_plan(engine, gloo=move.transport == "gloo"), decoder) as fleet:
        most = prompt_capacity(fleet, engine, lengths)
        asked = with_text(arrivals(lengths, load * most, serving.requests, seed), words, seed)
        served = serve(fleet, asked, replace(rules(mode, engine, serving), move=move))
    table = request_table(asked, served)
    with atomic(out) as temporary:
        table.to_parquet(temporary, index=False)
    return _latencies(asked, served, serving.warm_up, load * most)


def request_table(asked: list[Request], served: Served) -> pd.DataFrame:
    """Return one row per request: its lengths, its outcome, and, if it was served, its latencies in seconds."""
    rows = []
    for number, (request, outcome) in enumerate(zip(asked, served.outcomes, strict=True)):
        times = outcome.times_s if outcome.status == "done" else []
        rows.append(
            {
                "request_id": number,
                "arrival_s": request.arrival_s,
                "prompt": len(request.prompt),
                "output": request.output,
                "status": outcome.status,
                "reason": outcome.reason,
                "retries": outcome.retries,
                "ttft_s": times[0] - request.arrival_s if times else np.nan,
                "tbt_s": float(np.mean(np.diff(times))) if len(times) > 1 else np.nan,
                "e2e_s": times[-1] - request.arrival_s if times else np.nan,
            }
        )
    return pd.DataFrame(rows)


def _resolved(name: str, folder: Path) -> inputs.Record:
    named = os.environ.get("JOULEPROOF_INPUTS")
    return inputs.resolve(name, folder, inputs_dir=Path(named) if named else None)


def _model(
    engine: EngineConfig, records: Mapping[str, inputs.Record], folder: Path, problems: list[inputs.Problem]
) -> tuple[Decoder, list[int]]:
    """Load the model and the text's tokens; if the model is not available, use random ones and say so on stderr."""
    try:
        model = load_smollm2((records.get("smollm2_135m") or _resolved("smollm2_135m", folder)).path())
    except inputs.InputError as error:
        print(f"serve: using random weights of the same shape, because: {error}", file=sys.stderr)
        words = np.random.default_rng(0).integers(0, SHAPES["smollm2_135m"].vocabulary, 10_000).tolist()
        return first_layers(random_decoder(SHAPES["smollm2_135m"], seed=0), engine.layers), words
    return served_decoder(engine, engine.layers, problems, model)


def _latencies(asked: list[Request], served: Served, warm_up: int, rate: float) -> str:
    rows: dict[str, dict[str, float]] = {}
    names = {"ttft_s": "TTFT", "gap_s": "TBT", "e2e_s": "E2E"}
    for row in quantiles(latencies(asked, served, warm_up), QUANTILES):
        rows.setdefault(names[row["metric"]], {})[f"P{100 * row['quantile']:g} (ms)"] = 1e3 * row["value"]
    lines = [f"{len(asked)} requests at {rate:.2f} requests/s"]
    if rows:
        lines.append(pd.DataFrame(rows).T.to_string(float_format=lambda value: f"{value:.1f}", na_rep="-"))
        if any(len(row) < len(QUANTILES) for row in rows.values()):
            lines.append("-: too few samples for this percentile")
    statuses = pd.Series([outcome.status for outcome in served.outcomes]).value_counts()
    lines.append(", ".join(f"{count} {name}" for name, count in statuses.items()))
    for number, outcome in enumerate(served.outcomes):
        lines += [f"{outcome.status}: request {number}: {outcome.reason}"] if outcome.reason else []
    lines += [f"restarted: {death}" for death in served.deaths]
    share = ", ".join(f"{value:.1%}" for value in served.cpu_share)
    lines.append(f"workers got {share} of the processor time that their iterations took")
    return "\n".join(lines)
