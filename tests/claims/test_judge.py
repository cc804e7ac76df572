"""An interval and a range give a verdict, as docs/verdicts.md defines it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jouleproof.evidence.intervals import Estimate
from jouleproof.evidence.verdicts import INCONCLUSIVE, NOT_REPRODUCED, PARTLY, REPRODUCED, judge
from tests.claims.samples import INF, claim

EXACT = settings(derandomize=True, deadline=None, max_examples=150)
FROM_WORST = [NOT_REPRODUCED, PARTLY, INCONCLUSIVE, REPRODUCED]
NUMBERS = st.integers(-8, 8).map(float)


def decided(low, high, accept, null=None, bound=None):
    return judge(Estimate((low + high) / 2, low, high), claim(accept=accept, null=null), bound)


def test_an_interval_gets_the_verdict_that_the_ledger_defines():
    cases = [
        ((2.1, 2.9), (2, 3), 1, REPRODUCED),
        ((2.0, 3.0), (2, 3), 1, REPRODUCED),
        ((2.0, 2.0), (2, 3), None, REPRODUCED),
        ((3.0, 3.0), (2, 3), None, REPRODUCED),
        ((1.9, 2.1), (2, 3), 1, INCONCLUSIVE),
        ((2.9, 3.1), (2, 3), 1, INCONCLUSIVE),
        ((1.5, 3.5), (2, 3), 1, INCONCLUSIVE),
        ((1.5, 2.0), (2, 3), 1, INCONCLUSIVE),
        ((3.0, 3.5), (2, 3), 1, INCONCLUSIVE),
        ((0.5, 2.5), (2, 3), 1, INCONCLUSIVE),
        ((1.1, 1.9), (2, 3), 1, PARTLY),
        ((3.1, 3.9), (2, 3), 1, PARTLY),
        ((1.0, 1.9), (2, 3), 1, NOT_REPRODUCED),
        ((0.9, 1.9), (2, 3), 1, NOT_REPRODUCED),
        ((0.1, 0.9), (2, 3), 1, NOT_REPRODUCED),
        ((1.1, 1.9), (2, 3), None, NOT_REPRODUCED),
        ((3.1, 3.9), (2, 3), None, NOT_REPRODUCED),
        ((5.0, 9.0), (1.2, INF), 1, REPRODUCED),
        ((1.1, 1.15), (1.2, INF), 1, PARTLY),
        ((0.8, 1.15), (1.2, INF), 1, NOT_REPRODUCED),
        ((-9.0, 0.01), (-INF, 0.01), None, REPRODUCED),
        ((0.02, 0.03), (-INF, 0.01), None, NOT_REPRODUCED),
        ((0.1, 0.5), (0, 0.8), 1, REPRODUCED),
        ((0.85, 0.95), (0, 0.8), 1, PARTLY),
        ((0.85, 1.0), (0, 0.8), 1, NOT_REPRODUCED),
        ((1.1, 1.2), (0, 0.8), 1, NOT_REPRODUCED),
        ((0.1, 0.2), (0.27, INF), 0, PARTLY),
        ((-0.1, 0.2), (0.27, INF), 0, NOT_REPRODUCED),
        ((2.1, 2.9), (2, 3), 2, REPRODUCED),
        ((3.1, 3.2), (2, 3), 2, PARTLY),
        ((1.1, 1.2), (2, 3), 2, NOT_REPRODUCED),
    ]
    wrong = []
    for interval, accept, null, verdict in cases:
        decision = decided(*interval, accept, null)
        if decision != verdict:
            wrong.append((interval, accept, null, verdict, decision))
    assert wrong == []


@pytest.mark.parametrize(
    ("interval", "accept", "null", "verdict"),
    [
        ((0.0, 0.005), (-INF, 0.01), None, INCONCLUSIVE),
        ((0.005, 0.02), (-INF, 0.01), None, INCONCLUSIVE),
        ((0.02, 0.03), (-INF, 0.01), None, NOT_REPRODUCED),
        ((2.1, 2.9), (2, 3), 1, INCONCLUSIVE),
        ((0.1, 0.2), (2, 3), 1, INCONCLUSIVE),
        ((3.1, 3.2), (2, 3), 1, PARTLY),
        ((0.85, 0.95), (0, 0.8), 1, NOT_REPRODUCED),
        ((2.1, 2.2), (2, INF), 1, REPRODUCED),
    ],
    ids=[
        "a part inside an upper limit confirms nothing",
        "nor does one that straddles it",
        "a part above an upper limit refutes it",
        "a part inside a range confirms nothing",
        "a part below a range refutes nothing",
        "a part above a range is on the claimed side where the whole must be",
        "a part short of no effect does not tell on which side the whole is",
        "a part above a lower limit is enough",
    ],
)
def test_a_number_that_can_only_grow_decides_what_its_growth_cannot_undo(interval, accept, null, verdict):
    assert decided(*interval, accept, null, bound="lower") == verdict


@st.composite
def cases(draw):
    """Generate (low, width), accept, null, bound, on a grid where every sum is exact and bounds are often touched."""
    low, high = sorted((draw(NUMBERS), draw(NUMBERS)))
    accept = draw(st.sampled_from([(low, high), (low, INF), (-INF, high)]))
    outside = NUMBERS.filter(lambda null: not accept[0] < null < accept[1])
    null = draw(st.none() | outside) if accept != (-INF, INF) else None
    return (draw(NUMBERS), float(draw(st.integers(0, 8)))), accept, null, draw(st.sampled_from([None, "lower"]))


@EXACT
@given(cases())
def test_every_interval_has_one_verdict_and_it_follows_from_where_the_interval_lies(case):
    (low, width), accept, null, bound = case
    high = INF if bound else low + width
    inside = accept[0] <= low and high <= accept[1]
    apart = high < accept[0] or low > accept[1]
    claimed_side = null is not None and (low > null if accept[0] >= null else high < null)
    holds = {
        REPRODUCED: inside,
        INCONCLUSIVE: not inside and not apart,
        PARTLY: apart and claimed_side,
        NOT_REPRODUCED: apart and not claimed_side,
    }
    assert [verdict for verdict, it in holds.items() if it] == [decided(low, low + width, accept, null, bound)]


@EXACT
@given(cases(), st.integers(0, 16), st.integers(0, 16))
def test_moving_an_interval_further_into_the_range_never_makes_its_verdict_worse(case, some, more):
    (low, width), accept, null, bound = case
    if accept[0] == -INF:
        goal = min(low, accept[1] - width)
    elif accept[1] == INF:
        goal = max(low, accept[0])
    else:
        goal = (accept[0] + accept[1] - width) / 2
    places = [low + (goal - low) * step / 16 for step in sorted((some, more))]
    before, after = (FROM_WORST.index(decided(place, place + width, accept, null, bound)) for place in places)
    assert before <= after


@EXACT
@given(cases(), st.integers(0, 8))
def test_a_narrower_interval_inside_a_reproduced_one_is_reproduced(case, cut):
    (low, width), accept, null, _ = case
    if decided(low, low + width, accept, null) == REPRODUCED:
        assert decided(low, low + width * cut / 8, accept, null) == REPRODUCED
