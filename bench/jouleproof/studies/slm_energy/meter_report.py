"""A text report of what this machine can measure."""

from collections.abc import Callable, Iterator

from jouleproof.measure.contention import ContentionWatch
from jouleproof.power.counters import Unmeasurable
from jouleproof.power.meters import open_meter, watched
from jouleproof.studies.slm_energy.config import PowerConfig
from jouleproof.studies.slm_energy.power import constants


def describe(
    name: str, config: PowerConfig, seconds: float, every_s: float, sleep: Callable[[float], None]
) -> Iterator[str]:
    """Yield the lines of the report: every counter with the power that it reads over `seconds`, or the reason why it
    reads none; the counters that give the meter `name` joules; and what is modelled instead."""
    yield from watched(seconds, every_s, sleep)
    steal = "recorded" if ContentionWatch().reading().steal is not None else "not reported by this machine"
    yield f"CPU and wall seconds, load: always recorded; time that a hypervisor took (steal): {steal}"
    try:
        meter = open_meter(name)
    except Unmeasurable as error:
        yield f"meter {name}: not available here ({error})"
        return
    window = meter.begin()
    sleep(seconds)
    energies = window.end().energies
    counted = [energy.source for energy in energies if energy.joules is not None]
    yield f"meter {name}: {', '.join(counted) or 'no counter'}"
    for energy in energies:
        if energy.joules is None:
            yield f"meter {name}: {energy.source} gives no joules ({energy.reason})"
    if not counted:
        yield "joules: not measured here; modelled afterwards from CPU seconds and bytes, in separate columns:"
        for constant, bounds in constants(config).items():
            what = type(config).model_fields[constant].description
            state = "" if bounds.verified else " [not verified]"
            yield (
                f"  {constant}: {bounds.middle:g}, {bounds.low:g} to {bounds.high:g} ({what}){state}: {bounds.source}"
            )
