"""Batch selection: examples for each rule, and invariants over any jobs."""

from hypothesis import given, settings
from hypothesis import strategies as st

from jouleproof.serving.engine.batching import Job, next_batch
from jouleproof.serving.rules import STARVED
from tests.phase_split import oracle

REPEATABLE = settings(derandomize=True, deadline=None, database=None, max_examples=200)


def prompt(number, tokens, read=0):
    return Job(number, [1] * tokens, 5, number, [], read)


def decode(number, missed=0):
    return Job(number, [1, 2], 5, number, [3], 2, missed)


def taken(jobs, tokens, chunked=False):
    return [(job.id, count) for job, count in next_batch(jobs, tokens, chunked)]


def test_whole_prompts_go_first_and_decodes_take_the_room_that_is_left():
    assert taken([decode(0), decode(1), decode(2), prompt(3, 6), prompt(4, 2)], 10) == [(3, 6), (4, 2), (0, 1), (1, 1)]


def test_no_prompt_overtakes_one_that_found_no_room():
    assert taken([prompt(0, 6), prompt(1, 6), prompt(2, 1), decode(3)], 10) == [(0, 6), (3, 1)]


def test_a_prompt_longer_than_a_batch_is_taken_alone():
    assert taken([decode(0), prompt(1, 50), prompt(2, 1)], 10) == [(1, 50)]


def test_a_decode_that_starves_goes_before_prompts():
    assert taken([prompt(0, 10), decode(1, STARVED), decode(2)], 10) == [(1, 1), (2, 1)]


def test_chunks_fill_what_decodes_leave():
    assert taken([prompt(0, 9, read=4), prompt(1, 8), decode(2)], 8, chunked=True) == [(2, 1), (0, 5), (1, 2)]


@REPEATABLE
@given(
    kinds=st.lists(st.tuples(st.booleans(), st.integers(1, 30), st.integers(0, 6)), min_size=1, max_size=20),
    tokens=st.integers(1, 40),
    chunked=st.booleans(),
)
def test_a_batch_is_never_empty_and_never_too_large_but_for_one_prompt(kinds, tokens, chunked):
    jobs = [prompt(i, size) if is_prompt else decode(i, missed) for i, (is_prompt, size, missed) in enumerate(kinds)]
    batch = next_batch(jobs, tokens, chunked)
    assert batch and len({job.id for job, _ in batch}) == len(batch)
    assert sum(count for _, count in batch) <= tokens or (len(batch) == 1 and not chunked)
    assert all(1 <= count <= (job.prompt_left or 1) for job, count in batch)
    assert chunked or all(count == (job.prompt_left or 1) for job, count in batch)


@REPEATABLE
@given(kinds=st.lists(st.tuples(st.booleans(), st.integers(1, 1500)), min_size=1, max_size=20))
def test_a_worker_takes_what_a_simulated_machine_does(kinds):
    """Both select the same batch if nothing was refused before and memory is not a limit."""
    jobs = [prompt(i, size) if is_prompt else decode(i) for i, (is_prompt, size) in enumerate(kinds)]
    requests = [oracle.Request(i, i, size if is_prompt else 2, 5, 1) for i, (is_prompt, size) in enumerate(kinds)]
    machine = oracle.Machine(0, None, None, None, oracle.World())
    for request, (is_prompt, _) in zip(requests, kinds, strict=True):
        task = request.prompt if is_prompt else request.decode
        (machine.waiting_prompts if is_prompt else machine.batch).append(task)
        machine.present.append((request, [task]))
    preempted, new = machine.select()
    chosen = {task.request.number for task in [*machine.batch, *new] if task not in preempted}
    assert {number for number, _ in taken(jobs, oracle.MAX_TOKENS)} == chosen


@REPEATABLE
@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=12),
    tokens=st.integers(1, 40),
    chunked=st.booleans(),
)
def test_everybody_is_done_in_the_end(sizes, tokens, chunked):
    jobs = [prompt(i, size) for i, size in enumerate(sizes)]
    for _ in range(10_000):
        if not jobs:
            break
        batch = next_batch(jobs, tokens, chunked)
        for job in jobs:
            job.missed = 0 if any(job is other for other, _ in batch) else job.missed + 1
        for job, count in batch:
            job.read += count
            if not job.prompt_left:
                job.generated.append(1)
        jobs = [job for job in jobs if not job.done]
    assert not jobs
