"""The cost of a token with the same weights in several engines, on one core."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from jouleproof.evidence.tables import CITED, MEASURED, tidy
from jouleproof.libraries import NotInstalled
from jouleproof.models.smollm2 import LanguageModel
from jouleproof.power.meters import Meter, open_meter
from jouleproof.progress import steps
from jouleproof.studies.slm_energy.config import SlmEnergyConfig
from jouleproof.studies.slm_energy.engine_registry import Engine, Run, Subject
from jouleproof.studies.slm_energy.registry import engines as named_engines
from jouleproof.studies.slm_energy.timing import CLOCK, cpu_s, joules, one_core

FACTS = Path(__file__).parent.parent / "facts" / "engines.csv"


def engines(config: SlmEnergyConfig, smollm2_135m: LanguageModel) -> pd.DataFrame:
    """Time the engines, which take turns, after a short warm-up round.

    cpu_ms_per_token: of reading a prompt, and of writing tokens after it. state: "run"; "not installed" or "not run"
    for values cited from a run elsewhere. joules_per_token: if this machine has counters.
    """
    settings, meter, model = config.engines, open_meter(config.meters.meter), smollm2_135m
    assert model.path is not None  # some third-party engines read the file itself
    by_name = named_engines(settings.engines)
    started, absent = _started(by_name, Subject(model.network, model.path, settings.prompt + settings.tokens + 2))
    words = model.tokens("Natalia sold clips to 48 of her friends in April, and half as many in May. ")
    prompt = (words * settings.prompt)[: settings.prompt]
    step = steps("slm_energy engines", settings.repeats + 1)
    rows: list[dict[str, Any]] = []
    with one_core():
        for run in started.values():
            run(prompt, 2)
        step("first calls")
        for repeat in range(settings.repeats):
            rows += [
                {"engine": name, "repeat": repeat, **row}
                for name, run in started.items()
                for row in _round(run, prompt, settings.tokens)
            ]
            step(f"round {repeat + 1}")
        for name, run in started.items():
            rows += [{"engine": name, **row} for row in _joules(run, prompt, settings.tokens, meter)]
    rows = [{"weights": by_name[row["engine"]].weights, "state": "run", **row, "tier": MEASURED} for row in rows]
    facts = pd.read_csv(FACTS, keep_default_na=False)
    for fact in facts[~facts["engine"].isin(started)].to_dict("records"):
        state = "not installed" if fact["engine"] in absent else "not run"
        factors = {"engine": fact["engine"], "weights": fact["weights"], "state": state, "phase": fact["phase"]}
        rows.append({**factors, "value": fact["cpu_ms_per_token"], "tier": CITED})
    return tidy(
        ({"source": CLOCK, "metric": "cpu_ms_per_token", "unit": "ms", **row} for row in rows), model=model.name
    )


def _started(by_name: Mapping[str, Engine], subject: Subject) -> tuple[Mapping[str, Run], list[str]]:
    started, absent = {}, []
    for name in by_name:
        try:
            started[name] = by_name[name].start(subject)
        except NotInstalled:
            absent.append(name)
    return started, absent


def _round(run: Run, prompt: list[int], tokens: int) -> Iterator[dict[str, Any]]:
    read, both = cpu_s(lambda: run(prompt, 1)), cpu_s(lambda: run(prompt, tokens + 1))
    yield {"phase": "prompt", "value": 1e3 * read / len(prompt)}
    yield {"phase": "token", "value": 1e3 * (both - read) / tokens}


def _joules(run: Run, prompt: list[int], tokens: int, meter: Meter) -> Iterator[dict[str, Any]]:
    read, both = (dict(joules(meter, partial(run, prompt, count))) for count in (1, tokens + 1))
    for source in read.keys() & both.keys():
        factors = {"source": source, "metric": "joules_per_token", "unit": "J"}
        yield {**factors, "phase": "prompt", "value": read[source] / len(prompt)}
        yield {**factors, "phase": "token", "value": (both[source] - read[source]) / tokens}
