"""Cost, engines and fine-tuning of real weights, tested on a model with random ones that takes milliseconds."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from jouleproof.errors import UserError
from jouleproof.libraries import NotInstalled
from jouleproof.power import meters
from jouleproof.studies.slm_energy import timing
from jouleproof.studies.slm_energy.engine_registry import ENGINES, Engine
from jouleproof.studies.slm_energy.experiments.cost import cost
from jouleproof.studies.slm_energy.experiments.engines import engines
from jouleproof.studies.slm_energy.experiments.quality import quality
from jouleproof.studies.slm_energy.experiments.tuning import tuning, tuning_cost
from jouleproof.studies.slm_energy.language_models import language_model
from jouleproof.studies.slm_energy.weight_formats import weight_formats
from jouleproof.studies.slm_energy.weight_tuning import calculations, right, trainable, tuned
from tests.models.small import unchanged
from tests.slm_energy.small_models import CONFIG, MODEL, PROBLEMS


@pytest.fixture(scope="module")
def costs() -> pd.DataFrame:
    return cost(CONFIG, MODEL, quality(CONFIG, PROBLEMS, PROBLEMS, None))


def test_bytes_and_operations_are_those_counted_by_hand(costs):
    parameters = costs[costs["metric"] == "computing_parameters"].set_index("model")["value"]
    assert parameters["SMALL"] == MODEL.network.embedding.weight.numel() + sum(
        layer.weight.numel() for layer in MODEL.network.modules() if isinstance(layer, torch.nn.Linear)
    )
    read = costs[(costs["metric"] == "bytes_per_token") & (costs["model"] == "SMALL") & (costs["phase"] == "token")]
    alone = read[read["batch"] == 1].set_index("format")["value"]
    head, cached = 4 * MODEL.network.embedding.weight.numel(), 2 * 2 * 2 * 16 * 9 * 4  # kinds, layers, heads, width
    body = 4 * parameters["SMALL"] - head
    assert alone["float32"] == body + head + cached
    assert alone["bfloat16"] == (body + head) / 2 + cached
    assert alone["mxfp4"] == body * 4.25 / 32 + head + cached


def test_block_formats_are_timed_where_a_token_of_the_real_model_is_written_alone(costs):
    times = costs[(costs["metric"] == "cpu_ms_per_token") & (costs["format"] == "mxfp4")]
    assert set(zip(times["model"], times["weights"], times["phase"], times["batch"], strict=True)) == {
        ("SMALL", "real", "token", 1)
    }
    assert sorted(times["repeat"]) == [0, 1, 2] and (times["value"] > 0).all()


def test_a_ratio_per_doubling_is_the_ratio_where_parameters_double(costs):
    rows = costs[costs["metric"].isin(["per_doubling", "larger_over_smaller"])]
    wide = rows.pivot_table(index=["format", "task", "batch", "repeat"], columns="metric", values="value")
    parameters = costs[costs["metric"] == "computing_parameters"].set_index("model")["value"]
    doublings = np.log2(parameters["LARGER"] / parameters["SMALL"])
    np.testing.assert_allclose(wide["per_doubling"] ** doublings, wide["larger_over_smaller"])


def test_a_correct_answer_costs_more_than_an_answer_and_none_right_leaves_no_upper_end(costs):
    alone = costs[(costs["format"] == "float32") & (costs["model"] == "SMALL") & (costs["batch"] == 1)]
    for task, rows in alone.groupby("task"):
        if task != "none":
            least = rows[rows["metric"] == "cpu_s_per_answer"]["value"].min()
            assert (rows[rows["metric"] == "cpu_s_per_correct"]["value"] > least).all()
    assert not set(costs[costs["metric"] == "cpu_s_per_correct"]["weights"]) - {"real"}


def test_the_answers_of_another_model_are_not_those_of_the_timed_one():
    answers = quality(CONFIG, PROBLEMS, PROBLEMS, None).assign(model="another")
    assert not set(cost(CONFIG, MODEL, answers)["metric"]) & {"cpu_s_per_answer", "cpu_s_per_correct"}


def test_without_counters_there_are_no_joules(costs):
    assert "joules_per_token" not in set(costs["metric"])


@pytest.fixture
def plugged(monkeypatch):
    """Return the config with a meter that counts."""
    monkeypatch.setattr(meters, "_opened", {})
    monkeypatch.setattr(timing, "METERED_S", 0.01)
    config = CONFIG.model_copy(deep=True)
    config.meters.meter = "tests.extension_example.meter:PLUG"
    return config


def test_every_timed_table_has_the_joules_that_a_counter_counts(plugged, tmp_path):
    plugged.engines.engines = ["runner", "eager"]
    tables = {
        "joules_per_step": tuning_cost(plugged, MODEL, PROBLEMS),
        "joules_per_token": cost(plugged, MODEL, quality(plugged, PROBLEMS, PROBLEMS, None)),
    }
    for metric, table in tables.items():
        counted = table[table["metric"] == metric]
        assert set(counted["source"]) == {"plug"} and set(counted["tier"]) == {"measured"}
        assert (counted["value"] > 0).all() and (table[table["source"] == "clock"]["metric"] != metric).all()
    table = engines(plugged, replace(MODEL, path=tmp_path))
    counted = table[table["metric"] == "joules_per_token"]
    assert set(zip(counted["engine"], counted["phase"], strict=True)) == {
        (engine, phase) for engine in ("runner", "eager") for phase in ("prompt", "token")
    }


def test_engines_that_are_not_installed_are_cited(monkeypatch, tmp_path):
    def absent(_):
        raise NotInstalled("xllamacpp")

    monkeypatch.setitem(ENGINES, "llama_cpp", Engine("llama_cpp", "Q4_1", absent))  # type: ignore[index]
    config = CONFIG.model_copy(deep=True)
    config.engines.engines = ["runner", "llama_cpp"]
    table = engines(config, replace(MODEL, path=tmp_path))
    assert set(table[table["engine"] == "llama_cpp"]["state"]) == {"not installed"}
    assert set(table[table["state"] != "run"]["tier"]) == {"cited"}
    assert set(table[table["state"] == "run"]["tier"]) == {"measured"}
    assert table[table["engine"] == "runner"].groupby("phase").size().to_dict() == {"prompt": 2, "token": 2}


def test_every_engine_that_is_installed_runs(tmp_path):
    table = engines(CONFIG, replace(MODEL, path=tmp_path))
    assert {"runner", "runner_bfloat16", "eager", "transformers"} <= set(table[table["state"] == "run"]["engine"])


def test_calculations_end_where_the_result_begins():
    texts = list(calculations(MODEL, PROBLEMS, 64))
    assert len(texts) == len(PROBLEMS)
    assert list(texts[0].read) == MODEL.tokens("He has 3+4=<<3+4=") and list(texts[0].result) == MODEL.tokens("7>>")
    assert not list(calculations(MODEL, PROBLEMS, 5))


@pytest.mark.parametrize("way", ["full", "lora"])
def test_fine_tuning_learns_what_it_is_shown(way):
    texts = list(calculations(MODEL, PROBLEMS[:2], 64))
    decoder = deepcopy(MODEL.network)
    weights = trainable(decoder, way, 4, seed=0)
    losses = list(tuned(decoder, weights, texts, 60, 4, 0.02 if way == "full" else 0.1, seed=0))
    assert losses[-1] < 0.5 * losses[0]
    if way == "full":
        assert right(decoder, texts) == [1.0, 1.0]


def test_lora_trains_few_weights_and_starts_where_the_model_is():
    decoder = deepcopy(MODEL.network)
    weights = trainable(decoder, "lora", 2, seed=0)
    assert sum(weight.numel() for weight in weights) < 0.1 * sum(
        parameter.numel() for parameter in MODEL.network.parameters()
    )
    tokens = torch.arange(9)[None]
    torch.testing.assert_close(decoder(tokens), MODEL.network(tokens))


def test_fine_tuning_leaves_the_model_alone_and_repeats_to_the_bit():
    with unchanged(MODEL.network):
        one, two = (tuning(CONFIG, MODEL, PROBLEMS, PROBLEMS) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    assert sorted(set(one[one["metric"] == "right"]["step"])) == [0, 1, 2]


def test_the_cost_of_a_step_is_that_of_each_way_and_of_reading():
    table = tuning_cost(CONFIG, MODEL, PROBLEMS)
    assert set(table["way"]) == {"full", "lora", "reading"}
    over = table[(table["metric"] == "over_full") & (table["way"] == "full")]
    assert (over["value"] == 1).all()


def test_formats_have_their_width():
    assert {fmt.name: fmt.bits for fmt in weight_formats(["float32", "bfloat16", "mxint8", "mxfp4"])} == {
        "float32": 32.0,
        "bfloat16": 16.0,
        "mxint8": 8.25,
        "mxfp4": 4.25,
    }


def test_the_hub_is_asked_only_where_that_is_allowed():
    with pytest.raises(UserError, match="set slm_energy.quality.hub to true"):
        language_model("hub:organisation/model@abc", {}, hub=False)


def test_a_model_of_ones_own_that_lacks_a_part_is_named():
    with pytest.raises(UserError, match="lacks name, body"):
        language_model("tests.slm_energy.test_real_weights:no_model", {}, hub=False)


def no_model():
    return object()
