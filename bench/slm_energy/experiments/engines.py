"""The same weights in several programs, on one core: what the engine makes of the cost of a token."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from bench.measure.clocks import own_cpu_seconds
from bench.models.smollm2 import LanguageModel
from bench.progress import steps
from bench.results import CITED, MEASURED, tidy
from bench.slm_energy.config import EnginesConfig, SlmEnergyConfig
from bench.slm_energy.engines import ENGINES, NotInstalled, Run, Subject
from bench.slm_energy.experiments.cost import one_core

FACTS = Path(__file__).parent.parent / "facts" / "engines.csv"


def engines(config: SlmEnergyConfig, model: LanguageModel, file: Path) -> pd.DataFrame:
    """cpu_ms_per_token of a prompt that is read and of tokens that are written after it, engines taking turns; the
    first round does not count. state: "run", or "not installed" for what is cited from a run elsewhere.
    """
    settings = config.engines
    started, absent = _started(settings, Subject(model.network, file, settings.prompt + settings.tokens + 2))
    words = model.tokens("Natalia sold clips to 48 of her friends in April, and half as many in May. ")
    prompt = (words * settings.prompt)[: settings.prompt]
    step = steps("slm_energy engines", settings.repeats + 1)
    rows: list[dict[str, Any]] = []
    with one_core():
        for repeat in range(-1, settings.repeats):
            found = [{"engine": name, "weights": ENGINES[name].weights, "state": "run", "repeat": repeat, **row}
                     for name, run in started.items() for row in _round(run, prompt, settings.tokens)]  # fmt: skip
            rows += found if repeat >= 0 else []
            step(f"round {repeat + 1}")
    rows = [{**row, "tier": MEASURED} for row in rows]
    facts = pd.read_csv(FACTS)
    for fact in facts[~facts["engine"].isin(started)].to_dict("records"):
        state = "not installed" if fact["engine"] in absent else "not run"
        rows.append({"engine": fact["engine"], "weights": fact["weights"], "state": state, "phase": fact["phase"],
                     "value": fact["cpu_ms_per_token"], "tier": CITED})  # fmt: skip
    return tidy(rows, metric="cpu_ms_per_token", unit="ms", model=model.name)


def _started(settings: EnginesConfig, subject: Subject) -> tuple[Mapping[str, Run], list[str]]:
    started, absent = {}, []
    for name in settings.engines:
        try:
            started[name] = ENGINES[name].start(subject)
        except NotInstalled:
            absent.append(name)
    return started, absent


def _round(run: Run, prompt: list[int], tokens: int) -> Iterator[dict[str, Any]]:
    read, both = _cpu_s(run, prompt, 1), _cpu_s(run, prompt, tokens + 1)
    yield {"phase": "prompt", "value": 1e3 * read / len(prompt)}
    yield {"phase": "token", "value": 1e3 * (both - read) / tokens}


def _cpu_s(run: Run, prompt: list[int], count: int) -> float:
    before = own_cpu_seconds()
    run(prompt, count)
    return own_cpu_seconds() - before
