"""Experiments on the engine: which requests count, which percentiles are withheld, what is compared; and the command
for a single run."""

import math
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from jouleproof import inputs
from jouleproof.cli import app
from jouleproof.errors import UserError
from jouleproof.serving.config import EngineConfig, ServingConfig, read_engine_config
from jouleproof.serving.engine import serve as engine_serve
from jouleproof.serving.engine.fleet import started_fleet
from jouleproof.serving.engine.grid import measured_shapes, probes
from jouleproof.serving.engine.latencies import Latencies, latencies, pooled, quantiles, starved
from jouleproof.serving.engine.router import Outcome, Request, Served
from jouleproof.serving.engine.setup import fleet_plan
from jouleproof.serving.engine.token_check import sameness
from jouleproof.serving.engine.transport import Move
from jouleproof.studies.phase_split.config import PhaseSplitConfig
from jouleproof.studies.phase_split.experiments import serving as experiment
from jouleproof.studies.phase_split.experiments.serving import alone, serving
from tests.models.small import language_model, random_decoder

DECODER = random_decoder()
CONFIG = PhaseSplitConfig(
    engine=EngineConfig(layers=2, slots=8, capacity=96, boxes=2),
    serving=ServingConfig(
        scale=32.0,
        batch_tokens=64,
        chunk_tokens=16,
        loads=[0.3, 0.6],
        requests=20,
        warm_up=2,
        repeats=2,
        tries=1,
        checked=2,
    ),
)
WORDS = list(range(50))


def served(*times, share=1.0):
    outcomes = [Outcome("done", tokens=[1] * len(times_s), times_s=list(times_s)) for times_s in times]
    return Served(outcomes, [share, 1.0], 0.0, 1.0, [])


def test_latencies_are_of_requests_that_were_served_after_the_warm_up():
    run = served([1.0], [1.0, 1.5, 2.5], [4.0, 4.25])
    run.outcomes.append(Outcome("left", times_s=[9.0]))
    measured = latencies([Request(at, [1], 3) for at in (0.0, 0.5, 3.0, 8.0)], run, warm_up=1)
    assert measured.ttft_s.tolist() == [0.5, 1.0] and measured.e2e_s.tolist() == [2.0, 1.25]
    assert measured.gap_s.tolist() == [0.5, 1.0, 0.25]


def test_no_99th_percentile_rests_on_too_few_samples():
    def levels(count):
        values = np.linspace(1, 2, count)
        return {(row["metric"], row["quantile"]) for row in quantiles(Latencies(values, values, values), (0.5, 0.99))}

    assert {metric for metric, level in levels(199) if level == 0.99} == set()
    assert {metric for metric, level in levels(200) if level == 0.99} == {"gap_s", "e2e_s"}
    assert {metric for metric, level in levels(500) if level == 0.99} == {"gap_s", "e2e_s", "ttft_s"}
    assert {metric for metric, level in levels(1) if level == 0.5} == {"gap_s", "e2e_s", "ttft_s"}


def test_runs_are_pooled_sample_by_sample():
    one, other = Latencies(np.ones(2), np.ones(3), np.ones(2)), Latencies(np.zeros(1), np.zeros(0), np.zeros(1))
    assert pooled([one, other]).ttft_s.tolist() == [1, 1, 0] and len(pooled([one, other]).gap_s) == 3


def test_a_run_is_void_where_one_worker_lacked_processor_time():
    assert starved(served([1.0], share=0.949)) and not starved(served([1.0], share=0.951))


def test_shapes_fit_into_the_cache_and_probes_are_of_both_kinds():
    for capacity in (16, 96, 512):
        shapes = measured_shapes(EngineConfig(capacity=capacity, slots=8))
        assert all(max(shape.prompt + shape.read, shape.context + 1) <= capacity for shape in shapes)
        if capacity > 16:
            prompt, decodes = probes(shapes)
            assert prompt.prompt and not prompt.decodes and decodes.decodes and not decodes.prompt


def test_tokens_are_the_same_a_near_tie_or_different():
    prompt = [3, 1, 4, 1, 5]
    expected = alone(DECODER, Request(0.0, prompt, 6))
    other = [*expected[:3], (expected[3] + 1) % 61, 0, 0]
    assert sameness(DECODER, prompt, expected, list(expected), 1e-3) == "same"
    assert sameness(DECODER, prompt, expected, other, 1e-3) == "different"
    assert sameness(DECODER, prompt, expected, other, 1e9) == "near_tie"
    assert sameness(DECODER, prompt, expected, expected[:-1], 1e9) == "different"


@pytest.fixture(scope="module")
def fleet():
    with started_fleet(fleet_plan(CONFIG.engine), DECODER) as workers:
        yield workers


@pytest.fixture(scope="module")
def table(fleet):
    rng = np.random.default_rng(0)
    lengths = {"prompt_tokens": rng.integers(32, 2000, 200), "output_tokens": rng.integers(32, 600, 200)}
    trace = pd.DataFrame({"arrival_s": np.arange(200.0), **lengths})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(experiment, "started_fleet", lambda *_: nullcontext(fleet))
        return experiment.served(CONFIG, trace, WORDS, DECODER)


@pytest.mark.parametrize("service", ["conv", "code"])
def test_what_is_served_is_the_trace_of_the_service_by_the_first_layers_of_the_model(service, monkeypatch):
    monkeypatch.setattr(experiment, "served", lambda *given: given)
    config = CONFIG.model_copy(
        update={"engine": EngineConfig(layers=1), "serving": CONFIG.serving.model_copy(update={"service": service})}
    )
    model, problem = language_model(), inputs.Problem("How many?", "7", 7)
    given = serving(config, azure_conv="conv", azure_code="code", gsm8k_test=[problem], smollm2_135m=model)
    assert given[:3] == (config, service, model.tokens("How many?\n7\n\n")) and given[3].shape.layers == 1


def test_every_mode_serves_every_request_and_says_the_same(table):
    tokens = table[table["metric"].str.startswith("tokens_")].set_index(["mode", "metric"])["value"]
    assert tokens["split", "tokens_same"] == tokens["chunked", "tokens_same"] == 2 * 2 * 20
    assert tokens["plain", "tokens_same"] == 2
    assert tokens[[(mode, "tokens_different") for mode in ("split", "chunked", "plain")]].sum() == 0
    assert (table[table["metric"] == "not_done"]["value"] == 0).all()


def test_measured_and_predicted_never_mix(table):
    predicted = table["over"].isin(["predicted", "prompts alone", "decodes alone", "both"])
    assert set(table[predicted]["tier"]) == {"simulated"} and set(table[~predicted]["tier"]) == {"measured"}
    latency = table[table["metric"].isin(["ttft_s", "gap_s", "e2e_s"])]
    assert (latency["value"] > 0).all() and {"run", "pooled", "predicted"} == set(latency["over"])


def test_an_error_is_that_of_the_prediction_over_the_measurement(table):
    keys = ["mode", "load", "quantile"]
    ttft = table[table["metric"] == "ttft_s"].set_index(keys)
    ttft_s = {over: ttft[ttft["over"] == over]["value"] for over in ("pooled", "predicted")}
    errors = table[table["metric"] == "ttft_error"].set_index(keys)["value"]
    assert len(errors)
    for key, error in errors.items():
        assert error == pytest.approx(ttft_s["predicted"][key] / ttft_s["pooled"][key] - 1)


def test_ratios_are_of_runs_of_the_same_requests(table):
    runs = table[(table["over"] == "run") & (table["quantile"] == 0.5)].set_index(["metric", "mode", "load", "repeat"])
    runs = runs.sort_index()
    ratio = runs.loc["ttft_over_mixed", "split"]["value"]
    for (load, repeat), value in ratio.items():
        seconds = [runs.loc["ttft_s", mode, load, repeat]["value"] for mode in ("split", "mixed")]
        assert value == pytest.approx(seconds[0] / seconds[1])


@pytest.mark.parametrize(("mode", "own_fleet"), [("mixed", False), ("split", True)], ids=["mixed", "split"])
def test_one_run_prints_latencies_and_leaves_a_row_per_request(mode, own_fleet, fleet, tmp_path, monkeypatch):
    if not own_fleet:
        monkeypatch.setattr(engine_serve, "started_fleet", lambda *_: nullcontext(fleet))
    monkeypatch.setattr(engine_serve, "_model", lambda *_: (DECODER, WORDS))
    records = {
        name: inputs.resolve(name, tmp_path, inputs_dir=None, cache_dir=tmp_path, mode=mode_of_input)
        for name, mode_of_input in (("azure_conv", "auto"), ("gsm8k_test", "stand-in"))
    }
    text = engine_serve.run(CONFIG.engine, CONFIG.serving, records, mode, 0.3, Move(), 0, tmp_path / "out.parquet")
    table = pd.read_parquet(tmp_path / "out.parquet")
    assert len(table) == 20 and (table["status"] == "done").all() and table["request_id"].is_unique
    assert (table["e2e_s"] >= table["ttft_s"]).all()
    assert all(word in text for word in ("20 requests at", "TTFT", "TBT", "E2E", "P50 (ms)", "20 done", "too few"))


def test_the_knobs_of_a_run_are_two_sections_of_a_file_and_each_that_is_wrong_gets_a_line(tmp_path):
    path = tmp_path / "engine.json"
    assert read_engine_config(None) == (EngineConfig(), ServingConfig())
    path.write_text('{"engine": {"slots": 3}, "serving": {"requests": 7}}', encoding="utf-8")
    assert read_engine_config(path) == (EngineConfig(slots=3), ServingConfig(requests=7))
    for content, wrong in (
        ('{"engine": {"slots": 0}, "load": {}}', ["engine.slots", "load"]),
        ('{"serving": {"request": 7}}', ["serving.request"]),
        ("{", ["top level"]),
    ):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(UserError) as caught:
            read_engine_config(path)
        lines = str(caught.value).splitlines()
        assert all(line.startswith(f"config: {path}: {knob}: ") for line, knob in zip(lines, wrong, strict=True))
    with pytest.raises(UserError, match=r"^config: .*nowhere\.json cannot be read \(No such file or directory\)$"):
        read_engine_config(tmp_path / "nowhere.json")


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (("--way", "gloo"), "serve: --way is now --transport"),
        (("--form", "bfloat16"), "serve: --form is now --cache-format"),
        (("--cache-format", "fp3"), "serve: --cache-format: "),
    ],
)
def test_an_option_that_was_renamed_or_a_wrong_format_is_one_line(given, complaint, tmp_path):
    out = tmp_path / "out.parquet"
    done = CliRunner().invoke(app, ["serving", "serve", "--mode", "split", "--out", str(out), *given])
    assert (done.exit_code, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert done.stderr.startswith(complaint) and not out.exists()


def test_a_request_that_was_not_served_has_a_reason_and_no_latency():
    asked = [Request(0.0, [1, 2], 2), Request(0.5, [1] * 9, 9)]
    run = served([0.1, 0.3])
    run.outcomes.append(Outcome("refused", "too long"))
    table = engine_serve.request_table(asked, run)
    assert table["status"].tolist() == ["done", "refused"] and table["reason"].tolist() == ["", "too long"]
    assert table["tbt_s"][0] == pytest.approx(0.2) and math.isnan(table["e2e_s"][1])


def test_without_the_model_random_weights_of_its_shape_are_served_and_said_so(monkeypatch, tmp_path, capsys):
    def no(*_):
        raise inputs.InputError("smollm2_135m: cannot be had")

    monkeypatch.setattr(engine_serve, "_resolved", no)
    monkeypatch.setitem(engine_serve.SHAPES, "smollm2_135m", replace(engine_serve.SHAPES["smollm2_135m"], layers=3))
    decoder, words = engine_serve._model(CONFIG.engine, {}, Path(tmp_path), [])
    assert decoder.shape.layers == 2 and decoder.shape.vocabulary == 49152 and len(words) == 10_000
    assert "using random weights of the same shape, because: inputs: smollm2_135m" in capsys.readouterr().err
