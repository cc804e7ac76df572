"""Training side by side and alone, with and without interruption, and the content of the ladder's tables."""

import dataclasses
import re
import shutil
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from jouleproof.errors import UserError
from jouleproof.models.continuation import greedy as greedy_alone
from jouleproof.models.decoder import random_decoder
from jouleproof.models.decoder_shape import answer_flops, forward_flops, parameters, plain_shape
from jouleproof.models.runner import Runner
from jouleproof.sources import sources
from jouleproof.studies.slm_energy import arithmetic, training_run
from jouleproof.studies.slm_energy.arithmetic import (
    batches,
    draw_problems,
    held_out_problems,
    is_held_out,
    prompt_length,
    texts,
    vocabulary,
)
from jouleproof.studies.slm_energy.experiments.fine_tuning import fine_tuning
from jouleproof.studies.slm_energy.experiments.ladder import ladder, ladder_equal_flops
from jouleproof.studies.slm_energy.experiments.ladder_cost import ladder_cost, ladder_energy
from jouleproof.studies.slm_energy.ladder_ratios import (
    OVER_LARGEST_REACHED,
    SMALLEST_OVER_LARGEST,
    Best,
    best_of,
    ends,
)
from jouleproof.studies.slm_energy.training_run import answer_places, read_run, resumed, started, train, write_run
from jouleproof.studies.slm_energy.training_spec import (
    EQUAL_FLOPS,
    EQUAL_STEPS,
    FINE_TUNED,
    fine_tuned_spec,
    ladder_checkpoint,
    ladder_spec,
    ladder_specs,
)
from tests.models.small import unstacked
from tests.slm_energy.small_ladder import config, trained

SHAPE = plain_shape(50, 2, 16, 2)


class StoppedError(Exception):
    pass


@pytest.fixture(scope="module")
def tables(small_ladder):
    settings, tables = small_ladder
    cost = ladder_cost(settings, **tables)
    energy = ladder_energy(settings, tables["ladder"], tables["ladder_equal_flops"], cost)
    return {**tables, "cost": cost, "energy": energy}


def same(one, other):
    return all(torch.equal(one.weights[name], other.weights[name]) for name in one.weights)


def a_spec(size="1k", **knobs):
    settings = config(**knobs).ladder
    return ladder_spec(settings, size, settings.steps)


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """Return a run's spec, and its end without any interruption."""
    spec = a_spec()
    return spec, ended(spec, tmp_path_factory.mktemp("straight") / "run.safetensors")


def ended(spec, out, weights=None):
    train(spec, out, weights=weights)
    assert not partial(out).exists()
    return read_run(out, spec)


def partial(out):
    return out.with_name("run.partial.safetensors")


def cut_off(spec, out, stop, weights=None):
    """Interrupt a run right after it was saved at step `stop`."""

    def kept(run, of, path):
        write_run(run, of, path)
        if run.step == stop:
            raise StoppedError

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(training_run, "write_run", kept)
        with pytest.raises(StoppedError):
            train(spec, out, weights=weights)
    assert not out.exists() and read_run(partial(out), spec).step == stop


@pytest.fixture
def first_steps(monkeypatch):
    """Collect the steps at which runs begin or resume, as they happen."""
    steps = []

    def noted(spec, run):
        steps.append(run.step)
        return resumed(spec, run)

    monkeypatch.setattr(training_run, "resumed", noted)
    return steps


def test_seeds_side_by_side_learn_what_each_learns_alone(tmp_path):
    whole = a_spec("4k")
    together = ended(whole, tmp_path / "run.safetensors")
    for number, seed in enumerate(whole.seeds):
        alone = ended(whole.alone(seed), tmp_path / "run.safetensors")
        for name, tensor in alone.weights.items():
            torch.testing.assert_close(together.weights[name][number], tensor[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("stop", [2, 4])
def test_a_run_that_was_cut_off_goes_on_to_the_same_bits(straight, first_steps, tmp_path, stop):
    spec, end = straight
    cut_off(spec, tmp_path / "run.safetensors", stop)
    resumed = ended(spec, tmp_path / "run.safetensors")
    assert same(end, resumed) and end.curve == resumed.curve and first_steps == [0, stop]


def test_a_run_cut_off_between_two_marks_goes_on_from_the_last_one(straight, first_steps, tmp_path, monkeypatch):
    spec, end = straight

    def failing(task, problems, seeds, first):
        yield from islice(batches(task, problems, seeds, first), 3 - first)
        raise StoppedError

    with monkeypatch.context() as patched:
        patched.setattr(training_run, "batches", failing)
        with pytest.raises(StoppedError):
            train(spec, tmp_path / "run.safetensors")
    assert same(end, ended(spec, tmp_path / "run.safetensors")) and first_steps == [0, 2]


def test_a_run_that_was_cut_off_at_its_end_is_written_and_not_run_again(straight, tmp_path, monkeypatch):
    spec, end = straight
    cut_off(spec, tmp_path / "run.safetensors", spec.plan.steps)
    monkeypatch.setattr(training_run, "_update", None)
    resumed = ended(spec, tmp_path / "run.safetensors")
    assert same(end, resumed) and end.curve == resumed.curve


def test_a_run_that_starts_at_anothers_end_comes_to_the_same_bits_either_way(straight, tmp_path):
    before, end = straight
    spec = dataclasses.replace(a_spec(steps=4), after=before)
    plain = list(resumed(spec, started(spec, end.weights)))[-1]
    one = ended(spec, tmp_path / "run.safetensors", end.weights)
    (tmp_path / "two").mkdir()
    cut_off(spec, tmp_path / "two" / "run.safetensors", 2, end.weights)
    two = ended(spec, tmp_path / "two" / "run.safetensors", end.weights)
    assert same(plain, one) and same(one, two) and one.curve == two.curve and not same(one, end)


def test_fine_tuning_goes_on_from_the_weights_of_the_better_run(small_checkpoints):
    settings, tables, paths = small_checkpoints
    for best in best_of(pd.concat(tables.values()), list(settings.ladder.sizes), settings.ladder.seeds):
        how = fine_tuned_spec(settings, best.size, best.budget)
        before = read_run(paths[ladder_checkpoint(settings.ladder, best.size, best.budget)], how.after)
        plain = list(resumed(how, started(how, before.weights)))[-1]
        assert same(plain, read_run(paths[FINE_TUNED + best.size], how))


def test_experiments_read_what_was_trained_and_train_nothing(small_checkpoints, monkeypatch):
    settings, tables, paths = small_checkpoints
    monkeypatch.setattr(training_run, "_update", None)
    again = {"ladder": ladder(settings, paths), "ladder_equal_flops": ladder_equal_flops(settings, paths)}
    assert all(table.equals(again[name]) for name, table in tables.items())
    assert len(fine_tuning(settings, **again, checkpoints=paths))


def damaged(path):
    path.write_bytes(path.read_bytes()[:100])


def test_the_code_of_specs_loop_task_and_models_is_part_of_a_runs_identity_and_that_of_progress_is_not():
    files = {Path(file).stem for file in sources(*training_run.DECIDING)}
    assert files >= {"training_spec", "training_run", "arithmetic", "stacked", "training", "small"}
    assert not files & {"progress", "files", "plugins", "sources"}


def of_another_run(path):
    train(a_spec(learning_rate=0.001), path)


SPOILT = pytest.mark.parametrize(
    ("spoil", "reason"), [(damaged, "cannot be read"), (of_another_run, "belongs to another training run")]
)


@SPOILT
def test_a_partial_file_that_is_spoilt_is_said_and_the_run_starts_anew(
    straight, first_steps, tmp_path, capsys, spoil, reason
):
    spec, end = straight
    out = tmp_path / "run.safetensors"
    cut_off(spec, out, 4)
    spoil(partial(out))
    first_steps.clear()
    capsys.readouterr()
    assert same(end, ended(spec, out)) and first_steps == [0]
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "from scratch" in line]
    assert re.fullmatch(rf"checkpoint: {re.escape(str(partial(out)))} {reason}.*; the run starts from scratch", line)


def copied(paths, folder):
    return {name: Path(shutil.copy(path, folder)) for name, path in paths.items()}


def experiments(settings, tables, paths):
    """Yield the experiments that read the checkpoint `equal_steps_1k`."""
    yield lambda: ladder(settings, paths)
    yield lambda: ladder_equal_flops(settings, paths)
    yield lambda: fine_tuning(settings, **tables, checkpoints=paths)


@SPOILT
def test_a_spoilt_checkpoint_is_named_in_one_line(small_checkpoints, tmp_path, spoil, reason):
    settings, tables, paths = small_checkpoints
    there = copied(paths, tmp_path)
    spoil(there["equal_steps_1k"])
    for read in experiments(settings, tables, there):
        with pytest.raises(UserError, match=rf"^checkpoint: .*equal_steps_1k.* {reason}.*delete it and run again$"):
            read()


def test_fine_tuning_is_not_begun_from_a_checkpoint_of_another_run(small_checkpoints, tmp_path):
    settings, tables, paths = small_checkpoints
    name = FINE_TUNED + "1k"
    with pytest.raises(UserError, match="belongs to another training run"):
        trained(settings, tmp_path, [name], dict.fromkeys(paths, paths[name]), **tables)
    assert not list(tmp_path.iterdir())


def batches_from(spec, first):
    return batches(spec.task, spec.problems, spec.seeds, first)


def test_loss_is_taken_on_the_answers_alone():
    spec = a_spec()
    vocab = vocabulary(spec.task.range)
    groups = next(batches_from(spec, 0))
    read = np.concatenate([tokens[0, :, :-1].flatten() for tokens in groups])
    following = np.concatenate([tokens[0, :, 1:].flatten() for tokens in groups])[answer_places(spec)].tolist()
    words = [vocab.words[token] for token in following]
    assert words.count("end") == spec.plan.batch and not {"has", "How many now?"} & set(words)
    first = [vocab.words[token] for token in read[answer_places(spec)].tolist()]
    assert first.count("How many now?") == spec.plan.batch and "end" not in first


def test_a_batch_is_the_same_wherever_a_run_goes_on_from(monkeypatch):
    monkeypatch.setattr(arithmetic, "DRAWN_TOGETHER", 4)
    spec = a_spec()
    straight = list(islice(batches_from(spec, 0), 12))
    for first in range(1, 10):
        for one, other in zip(straight[first:], batches_from(spec, first), strict=False):
            assert all(np.array_equal(*pair) for pair in zip(one, other, strict=True))
    assert len({tuple(groups[0].flatten().tolist()) for groups in straight}) == 12


def test_no_problem_of_a_batch_is_one_of_the_test():
    spec = a_spec()
    for steps, problems in held_out_problems(spec.task).items():
        assert is_held_out(problems.tuples, spec.task.range.held_out).all()
        train = draw_problems(spec.task.range, steps, 50, False, np.random.default_rng([0, 0, steps]))
        assert not is_held_out(train.tuples, spec.task.range.held_out).any()


def test_parameters_are_those_of_a_decoder():
    decoder = random_decoder(SHAPE, 0)
    assert parameters(SHAPE) == sum(parameter.numel() for parameter in decoder.parameters())


def test_flops_of_an_answer_are_those_of_its_passes_one_by_one():
    prompt, written = 8, 5
    passes = forward_flops(SHAPE, prompt, 1, prompt * (prompt + 1) // 2)
    passes += sum(forward_flops(SHAPE, 1, 1, prompt + place) for place in range(1, written))
    assert answer_flops(SHAPE, prompt, written) == passes


def test_flops_of_a_step_are_those_of_its_products_one_by_one():
    spec = a_spec("4k")
    width, mlp, rows = spec.shape.width, spec.shape.mlp_width, spec.plan.batch // 3
    expected = 0
    for steps in (1, 2, 3):
        read, answered = 5 + 3 * steps + 2 + 4 * steps - 1, 2 + 4 * steps
        expected += rows * read * 2 * 3 * width * width  # queries, keys, values of the only layer
        expected += rows * answered * 2 * (width * width + 3 * width * mlp + spec.shape.vocabulary * width)
        expected += rows * 4 * width * read * (read + 1) // 2
    assert spec.step_flops == 3 * expected


def test_equal_flops_are_equal_to_half_a_step():
    settings = config(steps=1000).ladder
    specs = ladder_specs(settings, EQUAL_FLOPS)
    counts = {size: spec.plan.steps for size, spec in specs.items()}
    flops = {size: spec.step_flops for size, spec in specs.items()}
    whole = flops["1k"] * 1000
    assert counts["1k"] == 1000 and all(abs(counts[size] * flops[size] - whole) <= flops[size] / 2 for size in counts)


def test_the_ladder_is_the_same_bits_twice(small_ladder, tmp_path):
    settings, tables = small_ladder
    again = trained(settings, tmp_path)
    assert ladder(settings, again).equals(tables["ladder"])
    assert ladder_equal_flops(settings, again).equals(tables["ladder_equal_flops"])


def test_one_run_is_the_same_under_both_budgets_and_no_other_is(small_ladder):
    tables = small_ladder[1]
    steps, flops = (tables[name].drop(columns="budget") for name in ("ladder", "ladder_equal_flops"))
    for size, same_run in (("1k", True), ("4k", False)):
        one, other = (table[table["size"] == size].reset_index(drop=True) for table in (steps, flops))
        assert one.equals(other) == same_run


def test_every_size_and_seed_has_its_accuracy_at_every_mark(tables):
    rows = tables["ladder"][(tables["ladder"]["metric"] == "accuracy") & (tables["ladder"]["problem"] == "all")]
    assert set(rows.groupby(["size", "seed"])["step"].apply(tuple)) == {(2, 4, 6)}


def test_accuracy_is_that_of_answers_written_one_text_at_a_time(tmp_path):
    spec, whole = a_spec("4k", steps=60), config(steps=60)
    paths = trained(whole, tmp_path, [ladder_checkpoint(whole.ladder, size, EQUAL_STEPS) for size in ("1k", "4k")])
    run, vocab = read_run(paths["equal_steps_4k"], spec), vocabulary(spec.task.range)
    problems = held_out_problems(spec.task)[1]
    decoder = unstacked(run.weights, spec.shape, 0)
    right = 0
    for row, wanted in zip(texts(problems, vocab).tolist(), problems.results[:, -1].tolist(), strict=True):
        written = greedy_alone(Runner(decoder, 1, 40), row[: prompt_length(1)], 6)
        cut = written[: written.index(vocab.end)] if vocab.end in written else []
        right += [vocab.words[token] for token in cut[-2:]] == ["->", str(wanted)]
    table = ladder(whole, paths)
    rows = table[(table["metric"] == "accuracy") & (table["problem"] == "1") & (table["size"] == "4k")]
    assert rows.loc[rows["seed"] == 0, "value"].item() == right / len(problems.start)


def test_costs_are_timed_for_every_size_batch_seed_and_round(tables):
    timed = tables["cost"][tables["cost"]["metric"] == "cpu_ms"]
    counts = timed.groupby(["what", "size", "batch"]).size()
    assert set(counts) == {6} and (timed["value"] >= 0).all()
    assert {batch for what, _, batch in counts.index if what == "answer"} == {1, 3}


def test_modelled_joules_stand_in_a_table_of_their_own(tables):
    assert set(tables["cost"]["tier"]) == {"measured"} and set(tables["energy"]["tier"]) <= {"simulated"}


def best(size, *accuracy):
    flops = np.ones(len(accuracy))
    return Best(size=size, budget=EQUAL_STEPS, accuracy=np.array(accuracy), flops=flops, written={1: 6})


def test_the_smallest_that_reaches_the_target_stands_over_the_largest():
    name, small, large = ends([best("a", 0.5, 0.6), best("b", 0.9, 0.96), best("c", 0.99, 0.99)], 0.9)
    assert (name, small.size, large.size) == (SMALLEST_OVER_LARGEST, "b", "c")


def test_a_largest_size_that_falls_short_is_not_passed_for_the_largest():
    name, small, large = ends([best("a", 0.95), best("b", 0.99), best("c", 0.2)], 0.9)
    assert (name, small.size, large.size) == (OVER_LARGEST_REACHED, "a", "b")


def test_one_size_alone_has_nothing_to_stand_over():
    assert ends([best("a", 0.2), best("b", 0.99)], 0.9) is None


def test_a_width_that_heads_do_not_divide_is_refused():
    with pytest.raises(ValueError, match="the width of 1k must be an even multiple of the heads"):
        config(sizes={"1k": (1, 9, 1), "4k": (1, 16, 2)})
