"""Laws fitted to measured iterations: the law that generated the times is recovered, and the simulator follows it."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jouleproof.models.shapes import Shape
from jouleproof.serving.engine.cost_laws import fitted, halves, predicted
from jouleproof.serving.engine.traffic import arrivals, scaled, with_text
from jouleproof.serving.simulator.machines import Design, Machine
from jouleproof.serving.simulator.served_models import ServedModel
from jouleproof.serving.simulator.simulate import simulate
from jouleproof.serving.simulator.workload import Requests

MODEL = ServedModel("engine", "", 1000, 2, 64, 4, 2, 4.0)
SHAPES = [
    *(Shape(prompt=size) for size in (8, 16, 32, 64, 128)),
    *(Shape(decodes=many, context=context) for context in (16, 64) for many in (1, 2, 4, 8, 16)),
    *(Shape(size, 0, many, 32) for size, many in ((16, 2), (32, 4), (64, 8))),
    Shape(32, 32, 4, 32),
]


def law_s(shape):
    """Return the seconds of a shape: linear in the prompt; 10 ms and 1 ms per decode, or 0.2 ms per decode next to a
    prompt; and 1 us per token of context."""
    context = 1e-6 * (shape.read + shape.decodes * (shape.context + 1))
    if not shape.prompt:
        return 0.010 + 0.001 * shape.decodes + context
    return 0.005 + 0.0005 * (shape.prompt + shape.decodes) + 0.0002 * shape.decodes + context


def test_a_law_that_holds_is_found_and_predicts_the_other_half():
    first, second = halves(SHAPES)
    assert sorted(map(str, [*first, *second])) == sorted(map(str, SHAPES)) and len(second) >= 6
    law = fitted({shape: law_s(shape) for shape in first})
    for shape in SHAPES:
        assert predicted(law, shape) == pytest.approx(law_s(shape), rel=1e-9)


@given(st.lists(st.floats(0.1, 10.0), min_size=len(SHAPES), max_size=len(SHAPES)))
def test_more_work_never_takes_less_time_whatever_the_noise(noise):
    law = fitted({shape: law_s(shape) * factor for shape, factor in zip(SHAPES, noise, strict=True)})
    alone = [predicted(law, Shape(prompt=size)) for size in range(1, 300)]
    decodes = [predicted(law, Shape(decodes=many, context=32)) for many in range(1, 40)]
    both = [predicted(law, Shape(50, 0, many, 32)) for many in range(1, 40)]
    for times in (alone, decodes, both):
        assert min(times) >= 0 and min(np.diff(times)) >= -1e-12


def simulated(arrival_s, prompt, output):
    """Simulate requests on one machine whose times follow the law."""
    law = fitted({shape: law_s(shape) for shape in SHAPES})
    machine = Machine("worker", law, 10**9, 1.0, 1.0, 1.0, 1.0, 1.0)
    requests = Requests(np.array(arrival_s), np.array(prompt, np.int32), np.array(output, np.int32))
    return simulate(Design("mixed", "together", (machine, 1)), requests, model=MODEL)


def test_the_simulator_runs_by_the_law():
    run = simulated([0.0], prompt=[40], output=[4])
    assert run.ttft_s[0] == pytest.approx(law_s(Shape(prompt=40)))
    decodes = sum(law_s(Shape(decodes=1, context=40 + place)) for place in range(3))
    assert run.e2e_s[0] - run.ttft_s[0] == pytest.approx(decodes, rel=1e-4)


def test_a_decode_beside_a_prompt_costs_what_it_was_measured_to():
    run = simulated([0.0, 0.030], prompt=[40, 60], output=[2, 1])
    first, second = law_s(Shape(prompt=40)), law_s(Shape(decodes=1, context=40))
    assert run.e2e_s[0] == pytest.approx(first + second)  # the second arrived during the decode
    assert run.e2e_s[1] == pytest.approx(first + second + law_s(Shape(prompt=60)) - 0.030)


TRACE = pd.DataFrame({"arrival_s": [0.0, 1.0, 2.0], "prompt_tokens": [4, 80, 9000], "output_tokens": [2, 40, 100]})


def test_lengths_are_scaled_to_at_least_one_token_and_what_does_not_fit_is_counted():
    lengths, left_out = scaled(TRACE, 8.0, 64)
    assert lengths["prompt_tokens"].tolist() == [1, 10] and lengths["output_tokens"].tolist() == [1, 5]
    assert left_out == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="no request"):
        scaled(TRACE, 0.001, 64)


def test_two_rates_differ_in_the_clock_alone():
    lengths, _ = scaled(TRACE, 8.0, 64)
    slow, fast = arrivals(lengths, 2.0, 30, 5), arrivals(lengths, 8.0, 30, 5)
    assert len(slow) == len(fast) == 30
    np.testing.assert_allclose(slow.arrival_s, 4 * fast.arrival_s)
    assert (slow.prompt == fast.prompt).all() and (slow.output == fast.output).all()


def test_prompts_are_runs_of_the_text_the_same_for_the_same_seed():
    lengths, _ = scaled(TRACE, 8.0, 64)
    requests = arrivals(lengths, 2.0, 10, 5)
    words = list(range(7))
    asked = with_text(requests, words, 1)
    assert asked == with_text(requests, words, 1) != with_text(requests, words, 2)
    assert [len(request.prompt) for request in asked] == requests.prompt.tolist()
    assert all((after - before) % 7 == 1 for r in asked for before, after in pairwise(r.prompt))
