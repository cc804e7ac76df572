import hashlib

from jouleproof.inputs import catalogue
from jouleproof.inputs.stand_in import GENERATORS

from .conftest import generated

SHA256 = {
    "mlenergy-points": "a7063188411bd4154467c274af546122524b91e45d89ecf63746e5d78507c016",
    "gsm8k-test": "569406a4ee672b5f26ebf9c979794bea1232d4da2727f8182463e140f0cb2047",
    "gsm8k-train": "4a3004cf389145eaa6963cb3dec3f3309e51efd427de50ba43228ca109f43f68",
}


def test_every_generator_stands_in_for_an_input():
    assert {entry.stand_in for entry in catalogue().values()} - {None} == set(GENERATORS)


def test_a_seed_makes_the_same_bytes_on_any_machine():
    assert {name: hashlib.sha256(generated(name, 0)).hexdigest() for name in GENERATORS} == SHA256


def test_a_stand_in_is_text_with_plain_line_ends():
    texts = {name: generated(name, 0) for name in GENERATORS}
    assert [name for name, content in texts.items() if b"\r" in content or not content.endswith(b"\n")] == []
    for content in texts.values():
        content.decode("utf-8")


def test_another_seed_makes_another_stand_in():
    assert generated("gsm8k-test", 0) != generated("gsm8k-test", 1)
