"""Energy counters, replayed: which domains count, how counters wrap, and when no measurement is possible."""

from pathlib import Path

import pytest

from jouleproof.power.counters import Unmeasurable, nvml, rapl, sampled

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
    return sampled(recorded, 3.0, 1.0, sleep=lambda _: None, clock=iter(times).__next__)


def test_packages_and_memory_count_and_what_a_package_holds_does_not_count_twice(tmp_path):
    domain(tmp_path, "intel-rapl:0", "5000000")
    domain(tmp_path, "intel-rapl:0:0", "3000000", called="core")
    domain(tmp_path, "intel-rapl:0:1", "1000000", called="dram")
    domain(tmp_path, "intel-rapl:1", "9000000", called="psys")
    meter = rapl(tmp_path)
    assert meter.domains == ["intel-rapl:0 package-0", "intel-rapl:0:1 dram"] and meter.joules() == [5.0, 1.0]


def test_a_machine_without_counters_says_so():
    with pytest.raises(Unmeasurable, match="no domain under"):
        rapl(Path("/nowhere"))


def test_a_counter_that_may_not_be_read_or_holds_no_number_says_so(tmp_path):
    folder = domain(tmp_path, "intel-rapl:0")
    (folder / "energy_uj").unlink()
    with pytest.raises(Unmeasurable, match="cannot be read"):
        rapl(tmp_path)
    (folder / "energy_uj").write_text("-5\n")
    with pytest.raises(Unmeasurable, match="must hold a number, got '-5'"):
        rapl(tmp_path)


def test_without_zeus_or_a_gpu_nvml_says_so():
    with pytest.raises(Unmeasurable, match="nvml: "):
        nvml()


def test_power_is_what_the_counter_grew_by():
    assert replayed(Recorded([10.0, 60.0, 160.0, 160.5])) == [(1, [50.0]), (2, [100.0]), (3, [0.5])]


def test_a_counter_that_wraps_is_unwound():
    assert [watts for _, [watts] in replayed(Recorded([990.0, 5.0, 25.0, 45.0], wraps=1000.0))] == [15.0, 20.0, 20.0]


def test_a_counter_that_counts_nothing_is_unmeasurable_never_0_w():
    with pytest.raises(Unmeasurable, match="package: counted nothing in 3"):
        replayed(Recorded([7.0] * 4))


@pytest.mark.parametrize("times", [[0, 1, 1, 2], [0, 2, 1, 3]])
def test_a_clock_that_stands_still_or_jumps_back_is_no_clock(times):
    with pytest.raises(Unmeasurable, match="stood still or went backwards"):
        replayed(Recorded([1.0, 2.0, 3.0, 4.0]), times)
