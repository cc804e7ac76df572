"""Meters on made-up readings: what they count, and that they give no number where they cannot measure."""

import itertools
import subprocess
import sys
import time
from types import ModuleType, SimpleNamespace

import pytest

from jouleproof.errors import UserError
from jouleproof.evidence.provenance import ProvenanceRecorder, read_provenance
from jouleproof.measure.contention import Contention
from jouleproof.power import meters
from jouleproof.power.counter_trace import MOST_W, STOPPED_S, Trace
from jouleproof.power.counters import Nvml, Unmeasurable, nvml, rapl
from jouleproof.power.meters import CounterMeter, Energy, Meter, open_meter, opened
from jouleproof.studies.slm_energy.config import PowerConfig
from jouleproof.studies.slm_energy.meter_report import describe
from tests.extension_example.meter import PLUG
from tests.ground.test_counters import WRAP, Recorded, domain


def metered(counter, step_s=0.5):
    return CounterMeter("replayed", {"rapl": counter}, every_s=None, clock=itertools.count(0.0, step_s).__next__)


def window(meter, samples):
    """Measure the energy of a window with this number of readings, including both ends."""
    opened = meter.begin()
    for _ in range(samples - 2):
        opened.sample()
    [energy] = opened.end().energies
    return energy


def replayed(counter, samples):
    return window(metered(counter), samples)


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """Reset the module's state, as if this process had not opened a meter."""
    monkeypatch.setattr(meters, "_opened", {})


def test_a_window_counts_from_its_first_reading_to_its_last():
    assert replayed(Recorded([100.0, 150.0, 225.0]), 3) == Energy("rapl", ("package",), 125.0)


def test_domains_add_up_and_what_a_package_holds_does_not_count_twice(tmp_path):
    for name, called in (("0", "package-0"), ("0:0", "core"), ("0:1", "uncore"), ("0:2", "dram"), ("1", "psys")):
        domain(tmp_path, f"intel-rapl:{name}", "0", called=called)
    meter = CounterMeter("rapl", {"rapl": rapl(tmp_path)}, every_s=None, clock=iter([0.0, 0.5]).__next__)
    begun = meter.begin()
    for name, joules in (("0", 7), ("0:0", 5), ("0:1", 1), ("0:2", 2), ("1", 20)):
        (tmp_path / f"intel-rapl:{name}" / "energy_uj").write_text(f"{joules}000000\n")
    [energy] = begun.end().energies
    assert (energy.joules, energy.domains) == (9.0, ("intel-rapl:0 package-0", "intel-rapl:0:2 dram"))


class Die:
    """Folders of the dies of one package."""

    def __init__(self, root, names):
        self.folders = [domain(root, f"intel-rapl:{number}", called=name) for number, name in enumerate(names)]

    def write(self, *joules):
        for folder, value in zip(self.folders, joules, strict=True):
            (folder / "energy_uj").write_text(f"{value * 1e6:.0f}\n")


@pytest.mark.parametrize(
    ("names", "first", "last", "joules"),
    [
        (["package-0-die-0", "package-0-die-1"], (10.0, 10.0), (84.8, 84.8), 74.8),
        (["package-0-die-0", "package-0-die-1"], (0.0, 0.0), (74.8, 74.8), 74.8),
        (["package-0-die-0", "package-0-die-1"], (10.0, 10.0), (84.8, 80.0), 144.8),
        (["package-0-die-0", "package-0-die-1"], (10.0, 20.0), (84.8, 84.8), 139.6),
        (["package-0", "package-1"], (10.0, 10.0), (84.8, 84.8), 149.6),
        (["package-0-die-0", "package-0-die-1", "package-1-die-0", "package-1-die-1"], (1, 1, 1, 1), (5, 5, 9, 9), 12),
        (["package-0-die-0", "package-0-die-1", "package-0-die-2"], (1, 1, 1), (5, 5, 9), 12),
        (["package-0-die-0", "package-0-die-1"], (262_140, 262_140), (10, 10), 10 + WRAP - 262_140),
    ],
)
def test_dies_that_show_one_counter_at_both_ends_count_once(tmp_path, names, first, last, joules):
    dies = Die(tmp_path, names)
    dies.write(*first)
    meter = CounterMeter("rapl", {"rapl": rapl(tmp_path)}, every_s=None, clock=iter([0.0, 0.5]).__next__)
    begun = meter.begin()
    dies.write(*last)
    [energy] = begun.end().energies
    assert energy.joules == pytest.approx(joules)
    once = len(names) - len(meter.describe()["unmeasurable"])
    assert len(energy.domains) == once
    if once == 1:
        assert meter.describe()["unmeasurable"] == {
            "intel-rapl:1 package-0-die-1": "the same counter as intel-rapl:0 package-0-die-0"
        }


def test_a_counter_that_grows_while_it_is_read_under_two_names_is_still_one():
    reads = itertools.count(5.0, 0.001)
    one = Nvml([0, 1], ["H200", "H200"], {}, lambda number: next(reads))
    assert len(set(one.joules())) == 1
    assert replayed(one, 2).joules < 0.01
    two = Nvml([0, 1], ["H200", "H200"], {}, lambda number: next(reads) + number)
    assert len(set(two.joules())) == 2


def test_a_long_window_is_unwound_as_often_as_the_counter_wraps():
    true = [450.0 * count for count in range(2_000)]
    energy = replayed(Recorded([joules % WRAP for joules in true]), len(true))
    assert true[-1] > 3 * WRAP and energy.joules == pytest.approx(true[-1])


def test_a_counter_that_fails_in_the_middle_gives_nothing_for_the_rest_of_the_run():
    meter = metered(Recorded([1.0, 2.0, OSError("gone"), 3.0, 4.0, 5.0, 6.0]))
    assert [window(meter, 4) for _ in range(2)] == [Energy("rapl", ("package",), None, "gone")] * 2
    assert meter.describe()["failed"] == {"rapl": "gone"}


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([5.0, 6.0] + [6.0] * 4, "package stopped"),
        ([5.0, 5.0], "package counted nothing in 0.50 s"),
        ([500.0, 600.0, 300.0], "package went backwards"),
        ([500.0, float("nan"), 300.0], "package reads nan"),
        ([500.0, (1.0, 2.0), 300.0], "expected a reading of each of 1 domains, got 2"),
    ],
)
def test_what_cannot_be_true_is_no_number_but_a_reason(rows, reason):
    meter = metered(Recorded(rows))
    energy = window(meter, len(rows))
    assert energy.joules is None and reason in energy.reason
    assert meter.failed == {"rapl": energy.reason}


def test_one_domain_of_two_that_stops_takes_the_sum_with_it():
    rows = [(count * 10.0, min(count, 2) * 10.0) for count in range(8)]
    energy = replayed(Recorded(rows, domains=("package-0", "package-1")), len(rows))
    assert energy.joules is None and "package-1 stopped" in energy.reason


def test_a_counter_that_never_wraps_and_falls_went_backwards():
    assert "went backwards" in replayed(Recorded([900.0, 10.0], wraps=float("inf")), 2).reason


def test_a_wrap_is_told_from_a_fall_by_the_power_that_it_would_take():
    just = MOST_W * 0.5
    assert replayed(Recorded([WRAP - just / 2, just / 2 - 1]), 2).joules == pytest.approx(just - 1)
    assert replayed(Recorded([WRAP - just / 2, just / 2 + 1]), 2).joules is None


def test_a_window_that_is_too_short_to_be_counted_gives_nothing_but_spoils_no_other():
    meter = metered(Recorded([5.0, 5.0, 5.0, 45.0]), step_s=0.1)
    assert "too short" in window(meter, 2).reason
    assert window(meter, 2).joules == 40.0


def test_empty_domains_are_a_failure_never_0_j():
    energy = replayed(Recorded([()] * 2, domains=()), 2)
    assert (energy.joules, energy.reason) == (None, "rapl: the counter has no domains")


def test_a_clock_that_jumps_back_is_no_clock():
    trace = Trace("rapl", Recorded([]))
    trace.add(5.0, [1.0])
    with pytest.raises(Unmeasurable, match="clock went backwards"):
        trace.add(4.0, [2.0])


def test_a_counter_that_pauses_for_less_than_it_takes_to_have_stopped_goes_on():
    steps = int(STOPPED_S / 0.5)
    assert replayed(Recorded([0.0, *[10.0] * steps, 30.0]), steps + 2).joules == 30.0


def fake_zeus(monkeypatch, gpus):
    package, device = ModuleType("zeus"), ModuleType("zeus.device")
    device.get_gpus = lambda: gpus
    monkeypatch.setitem(sys.modules, "zeus", package)
    monkeypatch.setitem(sys.modules, "zeus.device", device)


class Gpus:
    """GPUs as zeus presents them, in mJ."""

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def get_name(self, number):
        return "made up"

    def get_total_energy_consumption(self, number):
        return 5_000 * (number + 1)


def test_gpus_are_read_through_zeus_in_joules(monkeypatch):
    fake_zeus(monkeypatch, Gpus(2))
    meter = nvml()
    assert isinstance(meter, Nvml) and meter.domains == ["gpu 0 made up", "gpu 1 made up"]
    assert meter.joules() == [5.0, 10.0]


def test_a_gpu_without_a_name_or_a_power_reading_still_counts_and_one_without_a_counter_is_left_out(monkeypatch):
    class Odd(Gpus):
        def get_name(self, number):
            raise RuntimeError("Not Supported")

        def get_instant_power_usage(self, number):
            raise RuntimeError("Not Supported")

        def get_total_energy_consumption(self, number):
            if number == 1:
                raise RuntimeError("Not\nSupported")
            return super().get_total_energy_consumption(number)

    fake_zeus(monkeypatch, Odd(3))
    counter = nvml()
    assert counter.domains == ["gpu 0", "gpu 2"] and counter.joules() == [5.0, 15.0]
    assert metered(counter).describe()["unmeasurable"] == {"gpu 1": "Not Supported"}
    monkeypatch.setattr(meters, "COUNTERS", {"nvml": nvml})
    monkeypatch.setattr(Gpus, "get_total_energy_consumption", lambda self, number: next(milli) * (number + 1))
    milli = itertools.count(1000, 500)
    lines = list(meters.watched(0.02, 0.01, sleep=lambda _: None))
    assert lines[-1] == "nvml: gpu 1: unmeasurable (Not Supported)" and len(lines) == 3


def test_no_gpu_with_a_counter_is_unmeasurable_and_says_why(monkeypatch):
    class Old(Gpus):
        def get_total_energy_consumption(self, number):
            raise RuntimeError("Not Supported")

    fake_zeus(monkeypatch, Old(1))
    with pytest.raises(Unmeasurable, match="nvml: gpu 0 made up: Not Supported"):
        nvml()


def test_no_gpu_is_unmeasurable_where_zeus_adds_up_to_0_j(monkeypatch):
    fake_zeus(monkeypatch, Gpus(0))
    with pytest.raises(Unmeasurable, match="no GPU"):
        nvml()


def test_none_is_a_meter_that_counts_no_joules_but_seconds():
    meter = open_meter("none")
    with meter.begin() as opened:
        sum(range(100_000))
    assert isinstance(meter, Meter) and opened.reading.joules == {}
    assert opened.reading.wall_s > 0 and opened.reading.cpu_s >= 0
    assert isinstance(opened.reading.contention, Contention) and 0 <= opened.reading.contention.idle <= 1


def test_a_window_reads_on_its_own_while_it_lasts_and_stops_with_an_error():
    class Counting:
        domains, wraps_j, reads = ["package"], [float("inf")], 0

        def joules(self):
            self.reads += 1
            return [float(self.reads)]

    counter = Counting()
    meter = CounterMeter("counting", {"own": counter}, every_s=0.005)
    with meter.begin() as opened:
        while counter.reads < 5:
            pass
    assert opened.reading.joules["own"] >= 4
    with pytest.raises(RuntimeError, match="of the work"), meter.begin() as broken:
        raise RuntimeError("of the work")
    after = counter.reads
    assert not hasattr(broken, "reading") and not broken._thread.is_alive() and counter.reads == after


def test_auto_takes_what_there_is_and_says_what_there_is_not(monkeypatch):
    def absent():
        raise Unmeasurable("nvml: no GPU")

    monkeypatch.setattr(meters, "COUNTERS", {"rapl": lambda: Recorded([0.0, 1.0]), "nvml": absent})
    assert open_meter("auto").describe() == {
        "name": "auto",
        "domains": {"rapl": ["package"]},
        "unmeasurable": {"nvml": "nvml: no GPU"},
        "failed": {},
    }


def test_a_counter_that_was_asked_for_by_name_and_is_not_there_is_an_error(monkeypatch):
    monkeypatch.setattr(meters, "rapl", lambda: rapl(SimpleNamespace(is_dir=lambda: False)))
    with pytest.raises(Unmeasurable, match="no domain under"):
        open_meter("rapl")


def test_a_process_has_one_meter():
    assert open_meter("none") is open_meter("none")
    with pytest.raises(UserError, match="auto: this process already measures with none"):
        open_meter("auto")


def test_a_meter_of_the_users_own_goes_by_its_module_and_name():
    assert open_meter("tests.extension_example.meter:PLUG") is PLUG


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("wattmeter", "not known; built in: auto, rapl, nvml, none"),
        ("tests.extension_example.meter:__name__", "is a str, not a jouleproof.power.meters.Meter"),
        ("tests.extension_example.meter:NOWHERE", "cannot be loaded"),
    ],
)
def test_a_name_that_stands_for_no_meter_is_one_line(name, message):
    with pytest.raises(UserError, match=message) as caught:
        open_meter(name)
    assert "\n" not in str(caught.value)


def test_the_meter_is_in_the_provenance_of_what_was_measured_with_it(tmp_path):
    assert opened() is None
    meter = open_meter("none")
    ProvenanceRecorder().write(tmp_path / "t.parquet", config={}, inputs={}, timed=True)
    assert read_provenance(tmp_path / "t.parquet")["meter"] == meter.describe()


def test_meters_promises_no_counter_that_gives_a_window_no_joules(monkeypatch):
    monkeypatch.setattr(meters, "COUNTERS", {"rapl": lambda: Recorded(itertools.repeat(7.0))})
    lines = list(describe("auto", PowerConfig(), 0.25, 0.05, time.sleep))
    assert any(line.startswith("rapl: unmeasurable (rapl: package counted nothing") for line in lines)
    assert "meter auto: no counter" in lines and any("meter auto: rapl gives no joules (" in line for line in lines)
    assert any(line.startswith("joules: not measured here; modelled") for line in lines)


@pytest.mark.parametrize(("seconds", "every_s"), [(float("nan"), 0.1), (1.0, 2.0), (1.0, 0.0), (float("inf"), 1.0)])
def test_meters_refuses_times_that_hold_no_step(seconds, every_s):
    with pytest.raises(UserError, match="meters: expected at least one step"):
        list(describe("none", PowerConfig(), seconds, every_s, time.sleep))


def test_meters_tells_what_this_machine_can_measure_and_what_is_modelled_instead():
    command = [sys.executable, "-m", "jouleproof", "meters", "--seconds=0.2", "--every=0.1"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    for start in ("rapl: ", "nvml: ", "CPU and wall", "meter auto: "):
        assert any(line.startswith(start) for line in lines), start
    if "meter auto: no counter" in lines:
        assert [line for line in lines if "core_w: 3.75, 1.9 to 6 " in line and "[not verified]" in line]
