"""The same weights in several programs, on one core: what the engine makes of the cost of a token."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from bench.models.smollm2 import LanguageModel
from bench.progress import steps
from bench.results import CITED, MEASURED, tidy
from bench.slm_energy.config import SlmEnergyConfig
from bench.slm_energy.engines import Engine, NotInstalled, Run, Subject
from bench.slm_energy.named import engines as named_engines
from bench.slm_energy.timing import cpu_s, one_core

FACTS = Path(__file__).parent.parent / "facts" / "engines.csv"


def engines(config: SlmEnergyConfig, model: LanguageModel, file: Path) -> pd.DataFrame:
    """cpu_ms_per_token of a prompt that is read and of tokens that are written after it, engines taking turns; the
    first round does not count. state: "run", or "not installed" for what is cited from a run elsewhere.
    """
    settings = config.engines
    known = named_engines(settings.engines)
    started, absent = _started(known, Subject(model.network, file, settings.prompt + settings.tokens + 2))
    words = model.tokens("Natalia sold clips to 48 of her friends in April, and half as many in May. ")
    prompt = (words * settings.prompt)[: settings.prompt]
    step = steps("slm_energy engines", settings.repeats + 1)
    rows: list[dict[str, Any]] = []
    with one_core():
        for repeat in range(-1, settings.repeats):
            found = [{"engine": name, "weights": known[name].weights, "state": "run", "repeat": repeat, **row}
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


def _started(known: Mapping[str, Engine], subject: Subject) -> tuple[Mapping[str, Run], list[str]]:
    started, absent = {}, []
    for name in known:
        try:
            started[name] = known[name].start(subject)
        except NotInstalled:
            absent.append(name)
    return started, absent


def _round(run: Run, prompt: list[int], tokens: int) -> Iterator[dict[str, Any]]:
    read, both = cpu_s(lambda: run(prompt, 1)), cpu_s(lambda: run(prompt, tokens + 1))
    yield {"phase": "prompt", "value": 1e3 * read / len(prompt)}
    yield {"phase": "token", "value": 1e3 * (both - read) / tokens}
