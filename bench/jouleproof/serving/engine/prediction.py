"""Simulations of the requests that the engine serves."""

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
    return ServedModel(
        name="engine",
        profile="",
        weight_bytes=weights,
        layers=shape.layers,
        hidden=shape.width,
        heads=shape.heads,
        kv_heads=shape.kv_heads,
        bytes_per_value=4.0,
    )


def simulated_design(
    mode: str, engine: EngineConfig, serving: ServingConfig, law: Performance, model: ServedModel
) -> Design:
    machine = Machine(
        name="worker",
        profile=law,
        memory_bytes=model.weight_bytes + engine.slots * engine.capacity * model.kv_bytes,
        price=1.0,
        power=1.0,
        tdp_w=1.0,
        link_bytes_per_s=1.0,
        memory_bytes_per_s=1.0,
    )
    tokens, workers = rules(mode, engine, serving).tokens, engine.workers
    if mode != "split":
        return Design(mode, MODES[mode], (machine, workers), batch_tokens=tokens)
    pools = (machine, engine.prompt_workers), (machine, workers - engine.prompt_workers)
    return Design(mode, "split", *pools, batch_tokens=tokens)


def simulated(design: Design, requests: Requests, link: float, model: ServedModel, warm_up: int) -> Latencies:
    """Simulate the requests and return their latencies; gaps are accurate to the width of a bin, 0.9 %.

    link: bytes/s of a cache transfer. warm_up: number of first requests that do not count.
    """
    semantics = replace(CORRECTED, layered=False, link_bytes_per_s=link)
    window = Window(first=float(requests.arrival_s[warm_up]))
    run = simulate(design, requests, semantics, model, window)
    middles = np.sqrt(GAP_EDGES[1:] * GAP_EDGES[:-1])
    return Latencies(run.ttft_s[warm_up:], np.repeat(middles, run.gaps), run.e2e_s[warm_up:])
