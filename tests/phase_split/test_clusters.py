"""Designs and their budgets."""

import json

import pytest

from jouleproof.errors import UserError
from jouleproof.serving.simulator.clusters import FAMILIES, PUBLISHED_POOLS, Budget, Prices, pools
from jouleproof.serving.simulator.machines import Design, read_design
from jouleproof.serving.simulator.served_models import served
from tests.phase_split import REFERENCE, refused

CLUSTERS = REFERENCE / "clusters.json"


def test_the_published_designs_have_about_the_power_of_forty_h100_machines():
    for name, (prompt, token) in PUBLISHED_POOLS["conv"].items():
        assert FAMILIES[name].design(prompt, token).power == pytest.approx(1760, rel=0.02)


def test_seventy_a100_machines_cost_a_fifth_less_than_forty_h100_machines():
    a100, h100 = FAMILIES["baseline_a100"].design(70), FAMILIES["baseline_h100"].design(40)
    assert a100.price / h100.price == pytest.approx(0.8125, abs=1e-4)


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if family.token])
def test_pools_use_a_budget_up_and_never_exceed_it(name):
    family, budget, prices = FAMILIES[name], Budget(190.4, 1760.0), Prices()
    candidates = list(pools(family, budget, 0.1))
    assert candidates
    for prompt, token in candidates:
        design, larger = family.design(prompt, token), family.design(prompt, token + 1)
        assert prices.of_design(design) <= 190.4 + 1e-6 and design.power <= 1760 + 1e-6
        assert prices.of_design(larger) > 190.4 or larger.power > 1760


def test_a_design_is_read_by_its_name():
    assert read_design(CLUSTERS, "conv|splitwise_ha") == Design(
        "conv|splitwise_ha", "split", ("dgx-h100", 25), ("dgx-a100", 26)
    )
    assert read_design(CLUSTERS, "conv|baseline_a100") == Design("conv|baseline_a100", "together", ("dgx-a100", 70))


SPLIT = {
    "scheduler": "mixed_pool",
    "prompt_machines": 1,
    "token_machines": 1,
    "prompt_sku": "dgx-a100",
    "token_sku": "dgx-a100",
}


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (
            {**SPLIT, "prompt_machines": 0},
            "a pool of dgx-a100 must have a whole number of machines from 1 to 16,384, got 0",
        ),
        ({**SPLIT, "prompt_sku": "dgx-b300"}, "unknown machine 'dgx-b300'; known: dgx-a100"),
        ({**SPLIT, "token_sku": "nowhere"}, "unknown machine 'nowhere'; known: dgx-a100"),
        ({**SPLIT, "prompt_sku": {"name": "mine"}}, "unknown machine {'name': 'mine'}; known: dgx-a100"),
        ({**SPLIT, "token_sku": ["dgx-a100"]}, "unknown machine ['dgx-a100']; known: dgx-a100"),
        ({**SPLIT, "prompt_machines": True}, "must have a whole number of machines from 1 to 16,384, got True"),
        ({**SPLIT, "prompt_machines": 10**9}, "whole number of machines from 1 to 16,384, got 1000000000"),
        ({"scheduler": "mixed_pool", "prompt_machines": 1}, "missing prompt_sku, token_sku, token_machines"),
        ({"scheduler": "mixed_pool", "machines": {"dgx-h100": 2}}, "missing prompt_sku, prompt_machines, token_sku"),
        ({"scheduler": "round_robin"}, "scheduler must be one of token_jsq, mixed_pool, got 'round_robin'"),
        (
            {"policy": "chunked", "machines": {"dgx-h100": 2}},
            "scheduler must be one of token_jsq, mixed_pool, got 'None'",
        ),
        ({"scheduler": "token_jsq", "machines": {"dgx-h100": 2}, "polcy": 1}, "unknown polcy; known: machines"),
        ({"scheduler": "token_jsq", "machines": {}}, "machines must be one kind and its number, got {}"),
        ({"scheduler": "token_jsq", "machines": {"dgx-a100": 1, "dgx-h100": 2}}, "machines must be one kind and its"),
        (
            {"scheduler": "token_jsq", "machines": {"dgx-a100": 30.5}},
            "a whole number of machines from 1 to 16,384, got 30",
        ),
    ],
)
def test_a_wrong_design_is_one_line_that_names_file_and_design(tmp_path, row, complaint):
    path = tmp_path / "designs.json"
    path.write_text(json.dumps({"mine": row}))
    with refused(complaint, f"{path}: design mine: "):
        read_design(path, "mine")


def test_a_design_or_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match="unknown design 'none'; known: conv"):
        read_design(CLUSTERS, "none")
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "twice.json").write_text('{"mine": {"scheduler": "token_jsq"}, "mine": {"scheduler": "mixed_pool"}}')
    for name, complaint in (("broken", "cannot be read"), ("twice", "cannot be read: 'mine' appears twice")):
        with refused(complaint, f"{tmp_path / name}.json: "):
            read_design(tmp_path / f"{name}.json", "mine")


def test_a_file_of_designs_may_begin_with_a_byte_order_mark(tmp_path):
    (tmp_path / "designs.json").write_text(json.dumps({"mine": SPLIT}), encoding="utf-8-sig")
    assert read_design(tmp_path / "designs.json", "mine").prompt == ("dgx-a100", 1)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (
            {"policy": "split", "prompt": ("dgx-h100", 1), "token": ("dgx-a100", 1), "balance_s": 5.0},
            "one kind of machine",
        ),
        ({"policy": "chunked", "prompt": ("dgx-h100", 1), "balance_s": 5.0}, "one kind of machine"),
        (
            {"policy": "chunked", "prompt": ("dgx-h100", 1), "token": ("dgx-h100", 1)},
            "policy must be split for its pools, got 'chunked'",
        ),
        ({"policy": "chunked", "prompt": ("dgx-h100", 1), "batch_tokens": 0}, "batch_tokens and decodes"),
        (
            {"policy": "random", "prompt": ("dgx-h100", 1)},
            "one of together, chunked, split for its pools, got 'random'",
        ),
    ],
)
def test_a_design_that_makes_no_sense_is_refused(wrong, complaint):
    with pytest.raises(UserError, match=complaint):
        Design("mine", **wrong)


def test_a_model_is_named_with_its_format():
    plain, narrow = served("bloom-176b"), served("bloom-176b/mxfp8_e4m3")
    assert narrow.kv_bytes / plain.kv_bytes == pytest.approx(8.25 / 16)
    assert narrow.weight_bytes / plain.weight_bytes == pytest.approx(8.25 / 16)
    with pytest.raises(UserError, match="unknown model 'gpt'; known: bloom-176b"):
        served("gpt")
    with pytest.raises(UserError, match="^model bloom-176b/fp3: .*'fp3'"):
        served("bloom-176b/fp3")
