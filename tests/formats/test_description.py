"""The six formats have the specified constants, and invalid descriptions are refused."""

import pickle

import numpy as np

from jouleproof.formats import FORMATS, MXFormat, get_format, get_scale_rule
from jouleproof.formats.description import scale_values
from tests.formats.refusals import refusal


def test_the_built_in_formats_have_the_constants_of_the_specification():
    """The constants: largest and smallest normal, smallest subnormal or unit, bits per element with the scale."""
    constants = {
        name: (fmt.max_normal, fmt.min_normal, fmt.min_step, fmt.bits_per_element) for name, fmt in FORMATS.items()
    }
    assert constants == {
        "mxfp8_e5m2": (57344.0, 2.0**-14, 2.0**-16, 8.25),
        "mxfp8_e4m3": (448.0, 2.0**-6, 2.0**-9, 8.25),
        "mxfp6_e3m2": (28.0, 0.25, 0.0625, 6.25),
        "mxfp6_e2m3": (7.5, 1.0, 0.125, 6.25),
        "mxfp4": (6.0, 1.0, 0.5, 4.25),
        "mxint8": (1 + 63 / 64, None, 2.0**-6, 8.25),
    }


def test_the_built_in_formats_have_the_specifications_largest_exponents():
    assert {name: fmt.emax for name, fmt in FORMATS.items()} == {
        "mxfp8_e5m2": 15, "mxfp8_e4m3": 8, "mxfp6_e3m2": 4, "mxfp6_e2m3": 2, "mxfp4": 2, "mxint8": 0
    }  # fmt: skip


def test_the_six_formats_of_the_specification_are_built_in_with_blocks_of_32():
    assert {name: fmt.block for name, fmt in FORMATS.items()} == dict.fromkeys(
        ["mxfp8_e4m3", "mxfp8_e5m2", "mxfp6_e3m2", "mxfp6_e2m3", "mxfp4", "mxint8"], 32
    )


def test_only_the_specified_codes_are_no_numbers():
    """The table holds the number of finite values, infinities and NaN of each format."""
    counts = {
        name: tuple(int(kind(fmt.values).sum()) for kind in (np.isfinite, np.isinf, np.isnan))
        for name, fmt in FORMATS.items()
    }
    assert counts == {
        "mxfp8_e4m3": (254, 0, 2),
        "mxfp8_e5m2": (248, 2, 6),
        "mxfp6_e3m2": (64, 0, 0),
        "mxfp6_e2m3": (64, 0, 0),
        "mxfp4": (16, 0, 0),
        "mxint8": (256, 0, 0),
    }


def test_the_most_negative_integer_code_reads_as_minus_two():
    assert FORMATS["mxint8"].values[0x80] == -2.0


def test_scale_codes_are_powers_of_two_and_255_is_nan():
    values = scale_values()
    assert [values[0], values[127], values[254], np.isnan(values[255])] == [2.0**-127, 1.0, 2.0**127, True]


def test_an_impossible_description_is_an_error_that_names_the_field():
    impossible = [
        ({"exponent_bits": 6, "mantissa_bits": 1}, "exponent_bits=6"),
        ({"exponent_bits": -1, "mantissa_bits": 3}, "exponent_bits=-1"),
        ({"exponent_bits": 3, "mantissa_bits": -1}, "mantissa_bits=-1"),
        ({"exponent_bits": 5, "mantissa_bits": 3}, "mantissa_bits=3"),
        ({"exponent_bits": 0, "mantissa_bits": 7}, "mantissa_bits=7"),
        ({"exponent_bits": 2, "mantissa_bits": 1, "block": 0}, "block=0"),
        ({"exponent_bits": 2, "mantissa_bits": 1, "block": -8}, "block=-8"),
        ({"exponent_bits": 2, "mantissa_bits": 1, "block": 12}, "block=12"),
        ({"exponent_bits": 2, "mantissa_bits": 1, "specials": "inf"}, "specials='inf'"),
        ({"exponent_bits": 0, "mantissa_bits": 6, "specials": "nan"}, "specials='nan'"),
    ]
    messages = [(complaint, refusal(ValueError, MXFormat, "mine", **fields)) for fields, complaint in impossible]
    assert [
        message for complaint, message in messages if not (message.startswith("format mine: ") and complaint in message)
    ] == []


def test_a_description_survives_pickling_after_its_values_were_read():
    fmt = MXFormat("mine", 3, 4, bias=3, block=16)
    fmt.values  # noqa: B018
    assert pickle.loads(pickle.dumps(fmt)) == fmt


def test_a_description_passes_through_where_a_name_is_asked_for():
    fmt = MXFormat("mine", 3, 4, bias=3)
    assert get_format(fmt) is fmt


def test_a_function_passes_through_where_a_scale_rule_is_asked_for():
    def rule(amax, fmt):
        return np.zeros(amax.shape, dtype=np.int32)

    assert get_scale_rule(rule) is rule


def test_a_field_of_another_type_is_refused():
    plain = {"name": "mine", "exponent_bits": 2, "mantissa_bits": 1}
    others = [{"exponent_bits": 2.0}, {"mantissa_bits": True}, {"bias": 1.0}, {"block": 32.0}, {"name": 7}]
    messages = {str(other): refusal(TypeError, MXFormat, **{**plain, **other}) for other in others}
    assert {other: message for other, message in messages.items() if "must be" not in message} == {}
