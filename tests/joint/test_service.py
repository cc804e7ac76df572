"""The service, interpolated between the simulated cases."""

from itertools import product

import numpy as np
import pytest

from jouleproof.errors import UserError
from jouleproof.studies.joint.service import Service, State, bits_of, hats
from tests.joint.small_tables import joules, service_energy

TABLE = service_energy(tilt=0.5)


def at(bits=16.0, split=0.0, taken=0.0, short=0.0, level=1.0):
    return State(*(np.array([value]) for value in (bits, split, taken, short, level)))


def test_at_a_simulated_case_it_is_that_case_for_all_requests():
    service, ways = Service(TABLE, "together"), {"together": 0.0, "split": 1.0}
    for form, way, taken, level in product(("16 bits", "mxfp8_e4m3", "mxfp4"), ways, (0.0, 0.8), (0.5, 1.0)):
        parts = service.joules(at(bits=bits_of(form), split=ways[way], taken=taken, level=level))
        whole = joules(TABLE, stored_as=form, way=way, taken=taken, level=level, which="any")
        assert sum(parts.values()) == pytest.approx([(1 - taken) * whole]), (form, way, taken, level)


def test_bits_of_a_format_hold_its_share_of_the_scale():
    assert [bits_of(form) for form in ("16 bits", "mxfp8_e4m3", "mxfp4")] == [16.0, 8.25, 4.25]


def test_power_is_linear_between_levels_of_load():
    for level in (0.5, 0.75, 1.0):
        assert Service(TABLE, "together").joules(at(level=level))["host_j"] * level == pytest.approx(400.0)


def test_weights_are_of_the_two_neighbours_and_stop_at_the_ends():
    weights = hats(np.array([-1.0, 0.0, 0.25, 1.0, 9.0]), np.array([0.0, 1.0]))
    assert weights[:, 0].tolist() == [1.0, 1.0, 0.75, 0.0, 0.0] and (weights.sum(axis=1) == 1.0).all()
    assert weights.shape == (5, 2)


def test_a_way_that_was_not_simulated_is_an_error_that_names_it():
    table = TABLE[TABLE["way"] != "chunked"]
    with pytest.raises(UserError, match="joint: service_energy lacks provisioned of a format served chunked or split"):
        Service(table, "chunked").kilowatts(at())
