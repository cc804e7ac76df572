"""The study's config: valid values are accepted, and wrong knobs are refused with a line for each."""

import json

import pytest

from jouleproof.errors import UserError
from jouleproof.formats import FORMATS, SCALE_RULES
from jouleproof.studies.mx import STUDY, registry
from jouleproof.studies.mx.config import MxConfig
from jouleproof.studies.mx.experiments.formats import formats as formats_table
from jouleproof.studies.mx.experiments.qsnr import qsnr
from tests.extension_example import formats as custom
from tests.formats.refusals import refusal

pytestmark = pytest.mark.usefixtures("one_thread")
NO_FORMAT = "mxfp4"
NO_RULE = 3


def one_argument(amax): ...


def read(content):
    return STUDY.all_knobs(content if isinstance(content, str) else json.dumps(content))


def one_line(call, *arguments):
    return refusal(UserError, call, *arguments, longest=1000)


def test_an_empty_config_names_every_format_and_rule():
    config = read({})
    assert (config.formats, config.scales) == (list(FORMATS), list(SCALE_RULES))


def test_a_wrong_knob_is_an_error_that_names_it():
    wrong = [
        ({"format": ["mxfp4"]}, "format: "),
        ({"qsnr": {"vector": 3}}, "qsnr.vector: "),
        ({"formats": "mxfp4"}, "formats: "),
        ({"formats": []}, "formats: "),
        ({"formats": [4]}, "formats.0: "),
        ({"qsnr": {"vectors": "8"}}, "qsnr.vectors: "),
        ({"qsnr": {"vectors": 0}}, "qsnr.vectors: "),
        ({"qsnr": {"vectors": 1.5}}, "qsnr.vectors: "),
        ({"qsnr": {"seeds": [-1]}}, "qsnr.seeds.0: "),
        ({"qsnr": {"degrees_of_freedom": 2.0}}, "qsnr.degrees_of_freedom: "),
        ({"qsnr": {"distributions": ["cauchy"]}}, "qsnr.distributions.0: "),
        ({"qsnr_on_weights": {"layer_stride": 0}}, "qsnr_on_weights.layer_stride: "),
        ({"direct_cast": {"questions": 1}}, "direct_cast.questions: "),
        ({"direct_cast": {"tokens": True}}, "direct_cast.tokens: "),
        ({"conformance": {"seed": None}}, "conformance.seed: "),
        ([], "top level: "),
        ("{", "top level: "),
    ]
    messages = [(complaint, one_line(read, content)) for content, complaint in wrong]
    assert [(complaint, message) for complaint, message in messages if complaint not in message] == []


def test_every_wrong_knob_gets_a_line():
    with pytest.raises(UserError) as caught:
        read({"qsnr": {"vectors": 0, "length": 0}, "scale": []})
    assert len(str(caught.value).splitlines()) == 3


def test_built_in_formats_are_found_by_name():
    assert registry.formats(["mxfp4", "mxint8"]) == {"mxfp4": FORMATS["mxfp4"], "mxint8": FORMATS["mxint8"]}


def test_a_format_of_the_users_own_is_found():
    assert registry.formats(["tests.extension_example.formats:FORMAT"]) == {"e3m4": custom.FORMAT}


def test_a_scale_rule_of_the_users_own_is_found():
    assert registry.scale_rules(["floor", "tests.extension_example.formats:unit_scale"]) == {
        "floor": SCALE_RULES["floor"],
        "unit_scale": custom.unit_scale,
    }


def not_named(call, valid, cases):
    """Return the messages that lack the name or the complaint. cases: pairs of these."""
    messages = [(repr(name), complaint, one_line(call, [valid, name])) for name, complaint in cases]
    return [message for name, complaint, message in messages if name not in message or complaint not in message]


def test_a_format_that_is_none_is_an_error_that_says_why():
    cases = [
        ("mxfp5", "mxfp8_e4m3, mxfp8_e5m2"),
        ("tests.extension_example.formats:MISSING", "MISSING"),
        ("tests.mx.nowhere:FORMAT", "nowhere"),
        ("tests.mx.test_config:NO_FORMAT", "str, not a jouleproof.formats.MXFormat"),
        ("tests.extension_example.formats:unit_scale", "function, not a jouleproof.formats.MXFormat"),
    ]
    assert not_named(registry.formats, "mxfp4", cases) == []


def test_a_scale_rule_that_is_none_is_an_error_that_says_why():
    cases = [
        ("ceiling", "floor, ceil, even, rceil"),
        ("tests.mx.test_config:NO_RULE", "int, not a function (amax, fmt) -> exponent"),
        ("tests.mx.test_config:one_argument", "cannot be called as (amax, fmt) -> exponent: too many positional"),
    ]
    assert not_named(registry.scale_rules, "floor", cases) == []


def test_an_experiment_runs_on_a_format_and_a_rule_of_the_users_own():
    config = MxConfig.model_validate(
        {
            "formats": ["mxfp4", "tests.extension_example.formats:FORMAT"],
            "scales": ["tests.extension_example.formats:unit_scale"],
            "qsnr": {"vectors": 4, "length": 32, "seeds": [0], "distributions": ["gaussian"]},
        }
    )
    table = qsnr(config)
    assert set(zip(table["format"], table["scale"], strict=True)) == {("mxfp4", "unit_scale"), ("e3m4", "unit_scale")}


def test_the_table_of_formats_gives_what_packed_arrays_hold():
    own_name = "tests.extension_example.formats:FORMAT"
    numbers = {  # bits per element, the largest value, the smallest step, and how many finite values
        "mxfp8_e4m3": (8.25, 448, 2**-9, 253),
        "mxfp8_e5m2": (8.25, 57344, 2**-16, 247),
        "mxfp6_e3m2": (6.25, 28, 0.0625, 63),
        "mxfp6_e2m3": (6.25, 7.5, 0.125, 63),
        "mxfp4": (4.25, 6, 0.5, 15),
        "mxint8": (8.25, 127 / 64, 2**-6, 256),
        own_name: (8.5, 31, 2**-6, 255),
    }
    tables = {name: formats_table(MxConfig(formats=[name])).set_index("metric")["value"].to_dict() for name in numbers}
    assert tables == {
        name: {
            "bits_per_element": bits,
            "fp16_ratio": 16 / bits,
            "fp32_ratio": 32 / bits,
            "largest": largest,
            "smallest_step": smallest_step,
            "finite_values": finite_values,
        }
        for name, (bits, largest, smallest_step, finite_values) in numbers.items()
    }
