"""The generated traces match the published statistics that they are drawn from.

Tolerances: rates match by construction; quantiles may be off by 2 points of rank; means and the dependence carry
sampling noise (up to 2 %) and the error of straight lines between quantiles (up to 4 % of the mean if the tail is
long); bursts are calibrated.
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jouleproof.inputs.stand_in import azure

from .conftest import generated

SEEDS = (0, 1, 2)


@pytest.fixture(scope="module", params=["code", "conv"])
def azure_traces(request):
    """Return (published statistics, one table per seed)."""
    name = request.param
    return azure.facts()[name], [table(generated(f"azure-{name}", seed)) for seed in SEEDS]


def table(content):
    lines = [line.split(",") for line in content.decode().splitlines()[1:]]
    at = pd.to_datetime([line[0] for line in lines])
    return pd.DataFrame(
        {
            "at_s": (at - at[0]).total_seconds(),
            "prompt": [int(line[1]) for line in lines],
            "output": [int(line[2]) for line in lines],
        }
    )


def mean_of(tables, statistic):
    return float(np.mean([statistic(trace) for trace in tables]))


def index_of_dispersion(window_s):
    def statistic(trace):
        counts = np.bincount((trace.at_s // window_s).astype(int))
        return counts.var() / counts.mean()

    return statistic


def rank_table(first, second, cells=20):
    place = [(values.rank(method="first").to_numpy() - 1) * cells // len(values) for values in (first, second)]
    return np.histogram2d(*place, bins=cells, range=[[0, cells]] * 2)[0] / len(first)


def distance(table, other):
    """Total variation distance: 0 if equal, 1 if disjoint."""
    return np.abs(table - other).sum() / 2


def test_requests_start_and_span_are_as_published(azure_traces):
    facts, tables = azure_traces
    for trace in tables:
        assert len(trace) == facts["requests"]
        assert trace.at_s.iloc[0] == 0
        assert trace.at_s.iloc[-1] == pytest.approx(facts["span_s"])
        assert trace.at_s.is_monotonic_increasing


@pytest.mark.parametrize("column", ["prompt", "output"])
def test_token_quantiles_are_as_published(azure_traces, column):
    facts, tables = azure_traces
    published = facts[column]["quantiles"]
    levels, tokens = [float(percent) / 100 for percent in published], list(published.values())
    for level in (0.1, 0.25, 0.5, 0.75, 0.9):
        low, high = np.interp([level - 0.02, level + 0.02], levels, tokens)
        generated = np.mean([trace[column].quantile(level) for trace in tables])
        assert low - 1 <= generated <= high + 1
    assert min(trace[column].min() for trace in tables) >= published["0"]
    assert max(trace[column].max() for trace in tables) <= published["100"]


@pytest.mark.parametrize("column", ["prompt", "output"])
def test_token_means_are_within_six_percent_of_the_published(azure_traces, column):
    facts, tables = azure_traces
    assert mean_of(tables, lambda trace: trace[column].mean()) == pytest.approx(facts[column]["mean"], rel=0.06)
    assert mean_of(tables, lambda trace: trace[column].std()) == pytest.approx(facts[column]["std"], rel=0.2)


def test_prompt_and_output_depend_on_each_other_as_published(azure_traces):
    facts, tables = azure_traces
    published = np.array(facts["dependence"]) / facts["requests"]
    for trace in tables:
        assert distance(rank_table(trace.prompt, trace.output), published) < 0.13
        assert trace.prompt.rank().corr(trace.output.rank()) == pytest.approx(facts["spearman"], abs=0.04)


def test_the_conversation_trace_is_far_from_independent():
    trace = table(generated("azure-conv", 0))
    shuffled = trace.output.sample(frac=1, random_state=0).reset_index(drop=True)
    published = np.array(azure.facts()["conv"]["dependence"]) / len(trace)
    assert distance(rank_table(trace.prompt, shuffled), published) > 0.3


def test_requests_in_every_five_minutes_are_as_published(azure_traces):
    facts, tables = azure_traces
    for trace in tables:
        counts = np.bincount((trace.at_s // 300).astype(int), minlength=12)
        assert counts.tolist() == [round(rate * 300) for rate in facts["rate_per_5min_rps"]]


@pytest.mark.parametrize("window_s", [1, 10, 60])
def test_arrivals_are_about_as_bursty_as_published(azure_traces, window_s):
    facts, tables = azure_traces
    generated = mean_of(tables, index_of_dispersion(window_s))
    assert generated == pytest.approx(facts["idc"][str(window_s)], rel=0.35)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, (1 << 32) - 1), min_size=2, max_size=50))
def test_a_quantile_function_never_falls(ranks):
    tokens = azure._quantile(azure.facts()["code"]["prompt"]["quantiles"], np.sort(np.array(ranks, dtype=np.int64)))
    assert (np.diff(tokens) >= 0).all()
