"""Agreement with other libraries on a few blocks, and the groups on which they are known to differ."""

from itertools import product

import numpy as np
import pytest

from jouleproof.formats import FORMATS, SCALE_RULES, MXFormat, fake_quantize
from jouleproof.studies.mx.adversarial import GROUPS
from jouleproof.studies.mx.config import ConformanceConfig, MxConfig
from jouleproof.studies.mx.experiments.conformance import compare, conformance
from jouleproof.studies.mx.invariants import INVARIANTS, same_bits
from jouleproof.studies.mx.peers import peer_casts
from tests.formats.generated import numbers
from tests.pictures import picture

pytestmark = pytest.mark.usefixtures("one_thread")
BLOCKS = 16


@pytest.fixture(scope="module")
def table():
    pytest.importorskip("torchao")
    return conformance(MxConfig(conformance=ConformanceConfig(blocks=BLOCKS)))


def violated(table):
    """Return (format, rule, invariant, group) of the rows that are not 0."""
    rows = table[(table["metric"] == "violations") & (table["value"] > 0)]
    return set(zip(*(rows[key] for key in ("format", "scale", "property", "group")), strict=True))


def test_every_peer_is_compared_on_every_format_that_it_has(table):
    compared = table[table["property"] == "agreement"].groupby("peer")["format"].agg(set).to_dict()
    floats = set(FORMATS) - {"mxint8"}
    assert compared == {"ml_dtypes (elements)": floats, "gfloat": set(FORMATS), "torchao": floats}


def test_every_group_is_compared_on_all_its_elements(table):
    counts = table[(table["metric"] == "elements") & (table["property"] != "scale covariance")]
    assert set(counts["group"]) == set(GROUPS) and (counts["value"] == BLOCKS * 32).all()


def test_every_invariant_is_counted_for_every_format_rule_and_group(table):
    counts = table[table["metric"] == "violations"]
    cells = set(zip(*(counts[key] for key in ("format", "scale", "property", "group")), strict=True))
    assert cells == set(product(FORMATS, SCALE_RULES, INVARIANTS, GROUPS)) and len(counts) == len(cells)


def test_only_the_end_of_float32_breaks_an_invariant(table):
    """A rule that rounds up can round an element to 2**128, and so to Inf; not for integers, which lie below 2."""
    floats = set(FORMATS) - {"mxint8"}
    assert violated(table) == set(product(floats, ["ceil", "even", "rceil"], ["idempotence"], ["near largest float"]))


def test_scale_covariance_speaks_of_nothing_where_no_scale_is_free(table):
    counts = table[(table["metric"] == "elements") & (table["property"] == "scale covariance")]
    spoken_of = counts.groupby("group")["value"].sum()
    assert set(spoken_of.index[spoken_of == 0]) == {"NaN", "Inf"}


def test_peers_differ_from_this_library_where_they_are_known_to_and_nowhere_else(table):
    rows = table[table["metric"].isin(["mismatches", "refused"]) & (table["value"] > 0)]
    differing = rows.groupby(["peer", "metric"])[["format", "group"]].agg(list)
    groups = {key: set(zip(*cells, strict=True)) for key, *cells in differing.itertuples()}
    floats = set(FORMATS) - {"mxint8"}
    without_nan = [name for name, fmt in FORMATS.items() if not np.isnan(fmt.values).any()]
    assert groups == {
        # on infinities, and where it uses the most negative integer; it refuses NaN where the element has none
        ("gfloat", "mismatches"): {*product(FORMATS, ["Inf"]), ("mxint8", "saturation band")},
        ("gfloat", "refused"): set(product(without_nan, ["NaN"])),
        # on infinities, and where the scale clamps
        ("torchao", "mismatches"): set(product(floats, ["Inf", "subnormal inputs"])),
    }


def test_the_table_is_the_same_every_time(table):
    again = conformance(MxConfig(formats=["mxfp4"], conformance=ConformanceConfig(blocks=BLOCKS)))
    assert again.equals(table[table["format"] == "mxfp4"].reset_index(drop=True))


def test_a_format_of_the_users_own_has_no_peers():
    assert peer_casts(MXFormat("mxfp4", 2, 1, bias=1, block=16)) == {}


@pytest.fixture(scope="module")
def own_alone():
    names = {
        "formats": ["tests.extension_example.formats:FORMAT"],
        "scales": ["floor", "tests.extension_example.formats:unit_scale"],
    }
    return conformance(MxConfig(**names, conformance=ConformanceConfig(blocks=BLOCKS)))


def test_a_format_of_the_users_own_alone_has_its_invariants_counted(own_alone):
    assert set(own_alone["format"]) == {"e3m4"} and set(own_alone["property"]) == set(INVARIANTS)
    assert {(scale, invariant) for _, scale, invariant, _ in violated(own_alone)} == {
        ("unit_scale", "scale covariance")
    }


def test_a_format_of_the_users_own_alone_has_its_tables(own_alone):
    assert set(picture("mx/conformance").tabulate(own_alone)["other libraries"]) == {"none has these formats"}
    row = picture("mx/invariants").tabulate(own_alone).set_index("format").loc["e3m4"]
    assert row["order"].startswith("none of ") and row["scale covariance"].endswith("(unit_scale)")


def test_a_cast_that_is_refused_counts_as_refused_and_not_as_wrong():
    def refuses(x):
        raise ValueError("no such value")

    x = np.ones((2, 32), dtype=np.float32)
    assert compare(refuses, x, x) == (64, 0)


def test_a_cast_to_other_bits_counts_element_by_element():
    x = np.zeros((2, 32), dtype=np.float32)
    assert compare(lambda x: np.where(np.arange(32) < 3, -x, x), x, x) == (0, 6)


def test_an_error_that_is_no_refusal_is_not_hidden():
    def broken(x):
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        compare(broken, np.ones((1, 32), dtype=np.float32), np.ones((1, 32), dtype=np.float32))


def test_zeros_of_different_signs_have_different_bits_and_nans_have_the_same():
    a = np.array([0.0, np.nan, 1.0], dtype=np.float32)
    b = np.array([-0.0, -np.nan, 1.0], dtype=np.float32)
    assert same_bits(a, b).tolist() == [False, True, True]


def test_the_peers_of_a_format_give_the_same_values_on_plain_numbers():
    x = numbers((8, 32))
    casts = {(name, peer): cast for name in ("mxfp8_e4m3", "mxfp4") for peer, cast in peer_casts(FORMATS[name]).items()}
    assert {peer for _, peer in casts} == {"ml_dtypes (elements)", "gfloat", "torchao"}
    assert [key for key, cast in casts.items() if not same_bits(cast(x), fake_quantize(x, key[0])).all()] == []
