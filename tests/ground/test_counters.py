"""Energy counters, replayed: which domains count, how counters wrap, and when no measurement is possible."""

from pathlib import Path

import pytest

from jouleproof.errors import UserError
from jouleproof.power import counters
from jouleproof.power.counter_trace import sampled
from jouleproof.power.counters import Unmeasurable, nvml, rapl

WRAP = 262_143.32885  # J, of a RAPL package


def domain(root, name, energy="0", called="package-0", wraps="262143328850"):
    folder = root / name
    folder.mkdir(parents=True)
    for file, text in (("name", called), ("energy_uj", energy), ("max_energy_range_uj", wraps)):
        (folder / file).write_text(text + "\n")
    return folder


class Recorded:
    """A counter that replays one row of joules, or an error, per reading. wraps: J at which it starts again at 0."""

    def __init__(self, rows, domains=("package",), wraps=WRAP):
        self.domains, self.wraps_j = list(domains), [wraps] * len(domains)
        self._rows = iter(rows)

    def joules(self):
        row = next(self._rows)
        if isinstance(row, Exception):
            raise row
        return list(row) if isinstance(row, tuple) else [row]


def replayed(recorded, times=range(100)):
    return sampled("rapl", recorded, 3.0, 1.0, sleep=lambda _: None, clock=iter(times).__next__)[1]


def test_packages_and_memory_count_and_what_a_package_holds_does_not_count_twice(tmp_path):
    domain(tmp_path, "intel-rapl:0", "5000000")
    domain(tmp_path, "intel-rapl:0:0", "3000000", called="core")
    domain(tmp_path, "intel-rapl:0:1", "1000000", called="dram")
    domain(tmp_path, "intel-rapl:1", "9000000", called="psys")
    domain(tmp_path, "intel-rapl-mmio:0", "5000000")  # the same package by another way
    meter = rapl(tmp_path)
    assert meter.domains == ["intel-rapl:0 package-0", "intel-rapl:0:1 dram"] and meter.joules() == [5.0, 1.0]


def test_a_machine_without_counters_says_so():
    with pytest.raises(Unmeasurable, match="no domain under"):
        rapl(Path("/nowhere"))


def test_a_counter_that_may_not_be_read_or_holds_no_number_says_so(tmp_path):
    folder = domain(tmp_path, "intel-rapl:0")
    (folder / "energy_uj").unlink()
    with pytest.raises(Unmeasurable, match=r"energy_uj cannot be read: it is masked \(a container\?\)"):
        rapl(tmp_path)
    (folder / "energy_uj").write_text("-5\n")
    with pytest.raises(Unmeasurable, match="must hold a number, got '-5'"):
        rapl(tmp_path)


def test_without_zeus_or_a_gpu_nvml_says_so():
    with pytest.raises(Unmeasurable, match="nvml: "):
        nvml()


def test_power_is_what_the_counter_grew_by():
    assert replayed(Recorded([10.0, 60.0, 160.0, 160.5])) == [[50.0], [100.0], [0.5]]


def test_a_counter_that_wraps_is_unwound():
    assert [watts for [watts] in replayed(Recorded([990.0, 5.0, 25.0, 45.0], wraps=1000.0))] == [15.0, 20.0, 20.0]


def test_a_counter_that_counts_nothing_is_unmeasurable_never_0_w():
    with pytest.raises(Unmeasurable, match="package counted nothing in 0.60 s"):
        sampled("rapl", Recorded([7.0] * 4), 0.6, 0.2, lambda _: None, iter([0.0, 0.2, 0.4, 0.6]).__next__)


@pytest.mark.parametrize("times", [[0, 1, 1, 2], [0, 2, 1, 3]])
def test_a_clock_that_stands_still_or_jumps_back_is_no_clock(times):
    with pytest.raises(Unmeasurable, match="the clock (stood still|went backwards)"):
        replayed(Recorded([1.0, 2.0, 3.0, 4.0]), times)


def test_masked_domains_are_not_called_a_matter_of_permission(tmp_path):
    (tmp_path / "intel-rapl:0").symlink_to(tmp_path / "devices/virtual/powercap/intel-rapl:0")
    with pytest.raises(Unmeasurable, match=r"name cannot be read: it is masked \(a container\?\)"):
        rapl(tmp_path)
    (tmp_path / "intel-rapl:0").unlink()
    domain(tmp_path, "intel-rapl:0", energy="")
    with pytest.raises(Unmeasurable, match=r"energy_uj cannot be read: it is masked \(a container\?\)"):
        rapl(tmp_path)


@pytest.mark.parametrize(
    ("error", "user", "reason"),
    [
        (PermissionError(13, "Permission denied"), 1000, "by default, only root may"),
        (PermissionError(13, "Permission denied"), 0, r"not even root may read it here \(a container\?\)"),
        (OSError(61, "No data available"), 1000, "No data available"),
        (IsADirectoryError(21, "Is a directory"), 1000, "Is a directory"),
        (OSError(5, "Input/output error"), 0, "Input/output error"),
    ],
)
def test_the_reason_is_the_systems(tmp_path, monkeypatch, error, user, reason):
    def refused(*_, **__):
        raise error

    domain(tmp_path, "intel-rapl:0")
    monkeypatch.setattr(Path, "read_text", refused)
    monkeypatch.setattr(counters.os, "geteuid", lambda: user)
    with pytest.raises(Unmeasurable, match=f"intel-rapl:0/name cannot be read: {reason}$"):
        rapl(tmp_path)


def test_memory_that_cannot_be_read_leaves_the_packages_and_says_so(tmp_path):
    domain(tmp_path, "intel-rapl:0", "5000000")
    (domain(tmp_path, "intel-rapl:0:1", called="dram") / "energy_uj").unlink()
    counter = rapl(tmp_path)
    assert counter.domains == ["intel-rapl:0 package-0"] and counter.joules() == [5.0]
    assert list(counter.left_out) == ["intel-rapl:0:1 dram"] and "masked" in counter.left_out["intel-rapl:0:1 dram"]


def test_a_package_that_cannot_be_read_is_named(tmp_path):
    domain(tmp_path, "intel-rapl:0")
    (domain(tmp_path, "intel-rapl:1", called="package-1") / "energy_uj").unlink()
    with pytest.raises(Unmeasurable, match="intel-rapl:1/energy_uj cannot be read"):
        rapl(tmp_path)


def test_a_range_that_cannot_be_read_is_needed_only_where_the_counter_wraps(tmp_path):
    (domain(tmp_path, "intel-rapl:0", "5000000") / "max_energy_range_uj").unlink()
    assert rapl(tmp_path).wraps_j == [float("inf")]


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), 0.05])
def test_no_whole_step_is_refused(seconds):
    with pytest.raises(UserError, match="expected at least one step"):
        sampled("rapl", Recorded([1.0]), seconds, 0.1, sleep=lambda _: None)


def test_steps_of_binary_fractions_are_all_taken():
    times = iter([0.0, 0.1, 0.2, 0.3])
    samples = sampled("rapl", Recorded([1.0, 2.0, 3.0, 4.0]), 0.3, 0.1, lambda _: None, times.__next__)[1]
    assert len(samples) == 3
