"""The reports of several energy meters on one workload."""

import importlib.util
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from jouleproof.evidence.tables import CITED, MEASURED, SIMULATED, tidy
from jouleproof.measure.clocks import Stopwatch
from jouleproof.measure.threads import cores, unpin
from jouleproof.power.meters import Meter, open_meter
from jouleproof.progress import steps
from jouleproof.studies.slm_energy.config import SlmEnergyConfig
from jouleproof.studies.slm_energy.power import Draws, modelled_interval, prior_draws

JOULES_PER_KWH = 3.6e6
FACTS = Path(__file__).parents[1] / "facts" / "meter_audit.csv"
ALONE, BESIDE = "alone", "beside others"
RAN, NOT_INSTALLED, NO_COUNTER = "ran here", "not installed here", "no counter here"
SIDE = 384
BURN = "import os, sys\nwhile not os.kill(int(sys.argv[1]), 0): pass"
START = (
    "import subprocess, sys; print(*(subprocess.Popen([sys.executable, '-c', *sys.argv[2:]],"
    " stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid for _ in range(int(sys.argv[1]))))"
)

Work = Callable[[], None]
Row = dict[str, Any]


@dataclass(frozen=True)
class Tool:
    """A third-party meter in one of its modes. joules: the energy that it reports for a piece of work."""

    package: str
    mode: str
    joules: Callable[[Work], float]


def meter_audit(config: SlmEnergyConfig) -> pd.DataFrame:
    """Run one workload under this project's meter and under third-party tools.

    installed (1): whether a tool is installed; otherwise its report from another machine is cited. power (W): the
    reported energy over the wall time, absent if a tool reports nothing; power_low and power_high if it gives a range.
    energy (J): of one run. cpu_s, wall_s: of the runs under this project's meter.

    The asleep workload sleeps as long as the busy one just took. "beside others": with as many busy processes as there
    are cores for this one.
    """
    torch.set_num_threads(1)
    ours, draws = open_meter(config.meters.meter), prior_draws(config.power)
    here = [tool for tool in TOOLS if importlib.util.find_spec(tool.package)]
    absent = [tool for tool in TOOLS if tool not in here]
    rows: list[Row] = []
    step = steps("meter audit", 2 * config.meters.repeats * (1 + len(here)))
    products(config.meters.steps // 10 + 1)
    for surroundings in (ALONE, BESIDE):
        with neighbours(cores() if surroundings == BESIDE else 0):
            for repeat in range(config.meters.repeats):
                factors = {"neighbours": surroundings, "repeat": repeat}
                rows += [row | factors for row in _ours(ours, draws, config.meters.steps)]
                step(f"jouleproof, {surroundings}")
                for tool in here:
                    rows += [row | factors for row in _theirs(tool, config.meters.steps)]
                    step(f"{tool.package} {tool.mode}, {surroundings}")
    rows += [_installed(tool, tool in here) for tool in TOOLS]
    rows += _cited(absent)
    return tidy(rows)


def products(count: int) -> float:
    """Run the workload: a chain of matrix products. Returns the sum over the last product."""
    factor = torch.randn(SIDE, SIDE, generator=torch.Generator().manual_seed(0)) / SIDE**0.5
    product = factor
    for _ in range(count):
        product = factor @ product
        product /= product.abs().max()
    return float(product.sum())


@contextmanager
def neighbours(count: int) -> Iterator[None]:
    """Run `count` busy processes that are not children of this one, so that no tool attributes them to it. They end
    with this process at the latest."""
    command = [sys.executable, "-c", START, str(count), BURN, str(os.getpid())]
    busy = [
        int(pid)
        for pid in subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", check=True
        ).stdout.split()
    ]
    try:
        for pid in busy:
            unpin(pid)
        yield
    finally:
        for pid in busy:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _workloads(count: int) -> Iterator[tuple[str, Work]]:
    took = 0.0

    def busy() -> None:
        nonlocal took
        watch = Stopwatch()
        products(count)
        took = watch.wall_s()

    yield "busy", busy
    yield "asleep", lambda: time.sleep(took)


def _ours(meter: Meter, draws: Draws, count: int) -> Iterator[Row]:
    for workload, work in _workloads(count):
        window = meter.begin()
        work()
        reading = window.end()
        factors = {"tool": "jouleproof", "version": version("jouleproof"), "workload": workload, "state": RAN}
        counted = {energy.source: energy.joules for energy in reading.energies if energy.joules is not None}
        for source, joules in counted.items():
            yield from _said(factors | {"mode": source}, joules, reading.wall_s, MEASURED)
        if not counted:
            factors["state"] = NO_COUNTER
        for metric, seconds in (("cpu_s", reading.cpu_s), ("wall_s", reading.wall_s)):
            yield factors | {"mode": "counters", "metric": metric, "unit": "s", "value": seconds, "tier": MEASURED}
        modelled = modelled_interval(reading.cpu_s, 0.0, draws)
        model = factors | {"mode": "model", "state": RAN}
        yield from _said(model, modelled.value, reading.wall_s, SIMULATED)
        for metric, joules in (("power_low", modelled.low), ("power_high", modelled.high)):
            yield model | {"metric": metric, "unit": "W", "value": joules / reading.wall_s, "tier": SIMULATED}


def _theirs(tool: Tool, count: int) -> Iterator[Row]:
    for workload, work in _workloads(count):
        wall_s = 0.0

        def timed(work: Work = work) -> None:
            nonlocal wall_s
            watch = Stopwatch()
            work()
            wall_s = watch.wall_s()

        joules = tool.joules(timed)
        factors = {"tool": tool.package, "version": version(tool.package), "mode": tool.mode, "workload": workload}
        yield from _said(factors | {"state": RAN}, joules, wall_s, MEASURED)


def _said(factors: Mapping[str, Any], joules: float, wall_s: float, tier: str) -> Iterator[Row]:
    yield {**factors, "metric": "energy", "unit": "J", "value": joules, "tier": tier}
    yield {**factors, "metric": "power", "unit": "W", "value": joules / wall_s, "tier": tier}


def _installed(tool: Tool, installed: bool) -> Row:
    return {
        "tool": tool.package,
        "version": version(tool.package) if installed else "",
        "mode": tool.mode,
        "workload": "",
        "neighbours": "",
        "state": RAN if installed else NOT_INSTALLED,
        "metric": "installed",
        "unit": "1",
        "value": float(installed),
        "tier": MEASURED,
    }


def _cited(absent: Iterable[Tool]) -> Iterator[Row]:
    """Yield the reports of the absent tools from another machine, which has no counters."""
    wanted = {(tool.package, tool.mode) for tool in absent}
    for fact in pd.read_csv(FACTS, comment="#", dtype={"version": str}, keep_default_na=False).to_dict("records"):
        if (fact["tool"], fact["mode"]) in wanted:
            factors = {name: fact[name] for name in ("tool", "version", "mode", "workload", "neighbours")}
            yield {
                **factors,
                "state": NOT_INSTALLED,
                "metric": "power",
                "unit": "W",
                "value": fact["power_w"],
                "tier": CITED,
            }


def _zeus(work: Work) -> float:
    from zeus.monitor import ZeusMonitor

    monitor = ZeusMonitor()
    monitor.begin_window("audit")
    work()
    return float(monitor.end_window("audit").total_energy)


def _codecarbon(work: Work, **mode: Any) -> float:
    from codecarbon import OfflineEmissionsTracker

    logging.getLogger("codecarbon").setLevel(logging.ERROR)
    tracker = OfflineEmissionsTracker(
        country_iso_code="USA", output_methods=[], measure_power_secs=1, log_level="error", **mode
    )
    tracker.start()
    work()
    tracker.stop()
    return float(tracker.final_emissions_data.energy_consumed) * JOULES_PER_KWH


TOOLS = (
    Tool("zeus", "total_energy", _zeus),
    Tool("codecarbon", "machine", _codecarbon),
    Tool("codecarbon", "process", lambda work: _codecarbon(work, tracking_mode="process")),
    Tool("codecarbon", "force_cpu_power=100", lambda work: _codecarbon(work, force_cpu_power=100)),
)
