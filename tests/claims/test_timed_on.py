"""Verdicts say on how much of the machine a timing was taken."""

from tests.claims.samples import repeats, write_table
from tests.claims.test_verdicts import answered


def test_a_timing_on_fewer_cores_than_the_machines_says_so(tmp_path):
    machine = {"threads": 8, "usable_threads": 1}
    write_table(tmp_path, repeats(2.4, 2.5, 2.6), timed=True, machine=machine)
    assert answered(tmp_path).flags == ("timed on 1 of the machine's 8 hardware threads",)
    write_table(tmp_path, repeats(2.4, 2.5, 2.6), timed=True, machine={**machine, "usable_threads": 8})
    assert answered(tmp_path).flags == ()
    write_table(tmp_path, repeats(2.4, 2.5, 2.6), timed=False, machine=machine)
    assert answered(tmp_path).flags == ()
