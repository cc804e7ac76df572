"""The study's config: what is taken, and what is refused with a line per wrong knob."""

import json

import pytest

from jouleproof.errors import UserError
from jouleproof.formats import FORMATS, SCALE_RULES
from jouleproof.studies.mx import registry
from jouleproof.studies.mx.config import MxConfig
from jouleproof.studies.mx.experiments.formats import formats as formats_table
from jouleproof.studies.mx.experiments.qsnr import qsnr
from jouleproof.study import read_config
from tests.extension_example import formats as own

NO_FORMAT = "mxfp4"
NO_RULE = 3


def one_argument(amax): ...


@pytest.fixture
def read(tmp_path):
    def read(content):
        path = tmp_path / "mx.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return read_config(path, MxConfig)

    return read


def one_line(call, *arguments):
    with pytest.raises(UserError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_empty_config_names_every_format_and_rule(read):
    config = read({})
    assert (config.formats, config.scales) == (list(FORMATS), list(SCALE_RULES))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
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
    ],
)
def test_a_wrong_knob_is_an_error_that_names_it(read, content, complaint):
    assert complaint in one_line(read, content)


def test_every_wrong_knob_gets_a_line(read):
    with pytest.raises(UserError) as caught:
        read({"qsnr": {"vectors": 0, "length": 0}, "scale": []})
    assert len(str(caught.value).splitlines()) == 3


def test_a_config_that_is_not_there_is_an_error_that_names_it(tmp_path):
    assert "mx.json" in one_line(read_config, tmp_path / "mx.json", MxConfig)


def test_built_in_formats_are_found_by_name():
    assert registry.formats(["mxfp4", "mxint8"]) == {"mxfp4": FORMATS["mxfp4"], "mxint8": FORMATS["mxint8"]}


def test_a_format_of_the_users_own_is_found():
    assert registry.formats(["tests.extension_example.formats:FORMAT"]) == {"e3m4": own.FORMAT}


def test_a_scale_rule_of_the_users_own_is_found():
    assert registry.scale_rules(["floor", "tests.extension_example.formats:unit_scale"]) == {
        "floor": SCALE_RULES["floor"],
        "unit_scale": own.unit_scale,
    }


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("mxfp5", "mxfp8_e4m3, mxfp8_e5m2"),
        ("tests.extension_example.formats:MISSING", "MISSING"),
        ("tests.mx.nowhere:FORMAT", "nowhere"),
        ("tests.mx.test_config:NO_FORMAT", "str, not a jouleproof.formats.MXFormat"),
        ("tests.extension_example.formats:unit_scale", "function, not a jouleproof.formats.MXFormat"),
    ],
)
def test_a_format_that_is_none_is_an_error_that_says_why(name, complaint):
    message = one_line(registry.formats, ["mxfp4", name])
    assert repr(name) in message and complaint in message


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("ceiling", "floor, ceil, even, rceil"),
        ("tests.mx.test_config:NO_RULE", "int, not a function (amax, fmt) -> exponent"),
        ("tests.mx.test_config:one_argument", "cannot be called as (amax, fmt) -> exponent: too many positional"),
    ],
)
def test_a_scale_rule_that_is_none_is_an_error_that_says_why(name, complaint):
    message = one_line(registry.scale_rules, ["floor", name])
    assert repr(name) in message and complaint in message


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


@pytest.mark.parametrize(
    ("name", "bits", "largest", "smallest_step", "finite_values"),
    [
        ("mxfp8_e4m3", 8.25, 448, 2**-9, 253),
        ("mxfp8_e5m2", 8.25, 57344, 2**-16, 247),
        ("mxfp6_e3m2", 6.25, 28, 0.0625, 63),
        ("mxfp6_e2m3", 6.25, 7.5, 0.125, 63),
        ("mxfp4", 4.25, 6, 0.5, 15),
        ("mxint8", 8.25, 127 / 64, 2**-6, 256),
        ("tests.extension_example.formats:FORMAT", 8.5, 31, 2**-6, 255),
    ],
)
def test_the_table_of_formats_gives_what_packed_arrays_hold(name, bits, largest, smallest_step, finite_values):
    values = formats_table(MxConfig(formats=[name])).set_index("metric")["value"]
    assert values.to_dict() == {
        "bits_per_element": bits,
        "fp16_ratio": 16 / bits,
        "fp32_ratio": 32 / bits,
        "largest": largest,
        "smallest_step": smallest_step,
        "finite_values": finite_values,
    }
