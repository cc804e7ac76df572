"""The simulator on what the engine serves."""

from dataclasses import replace

import numpy as np

from jouleproof.models.decoder import Decoder
from jouleproof.serving.config import EngineConfig, ServingConfig
from jouleproof.serving.engine.latencies import Latencies
from jouleproof.serving.engine.setup import MODES, rules
from jouleproof.serving.simulator.cost_model import Performance
from jouleproof.serving.simulator.machines import Design, Machine
from jouleproof.serving.simulator.served_models import ServedModel
from jouleproof.serving.simulator.simulate import CORRECTED, GAP_EDGES, Window, simulate
from jouleproof.serving.simulator.workload import Requests


def served_model(decoder: Decoder) -> ServedModel:
    shape = decoder.shape
    weights = sum(value.nbytes for value in decoder.state_dict().values())
    return ServedModel("engine", "", weights, shape.layers, shape.width, shape.heads, shape.kv_heads, 4.0)


def simulated_design(
    mode: str, engine: EngineConfig, serving: ServingConfig, law: Performance, model: ServedModel
) -> Design:
    room = model.weight_bytes + engine.slots * engine.capacity * model.kv_bytes
    machine = Machine("worker", law, room, 1.0, 1.0, 1.0, 1.0, 1.0)
    tokens = rules(mode, engine, serving).tokens
    if mode == "split":
        others = engine.workers - engine.prompt_workers
        return Design(mode, "split", (machine, engine.prompt_workers), (machine, others), tokens)
    return Design(mode, MODES[mode], (machine, engine.workers), batch_tokens=tokens)


def simulated(design: Design, requests: Requests, link: float, model: ServedModel, warm_up: int) -> Latencies:
    """Gaps to the width of a bin, 0.9 %."""
    semantics = replace(CORRECTED, layered=False, link_bytes_per_s=link)
    window = Window(first=float(requests.arrival_s[warm_up]))
    run = simulate(design, requests, semantics, model, window)
    middles = np.sqrt(GAP_EDGES[1:] * GAP_EDGES[:-1])
    return Latencies(run.ttft_s[warm_up:], np.repeat(middles, run.gaps), run.e2e_s[warm_up:])
