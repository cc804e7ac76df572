"""Which models the study trains once, for several experiments to read; imports nothing large."""

from collections.abc import Mapping

from jouleproof.studies.slm_energy.config import LadderConfig, SlmEnergyConfig
from jouleproof.study import Experiment

EQUAL_STEPS, EQUAL_FLOPS = "equal steps", "equal FLOPs"
LARGE = {"runtime": 2880}


def checkpoints(config: SlmEnergyConfig) -> Mapping[str, Experiment]:
    """What trains each checkpoint, by name: the ladder's sizes under both budgets, and what is tuned from them."""
    of_ladder = Experiment("checkpoints:train_for_ladder", knobs=("ladder",), priority=2, resources=LARGE)
    names = {
        ladder_checkpoint(config.ladder, size, budget): of_ladder
        for size in reversed(config.ladder.sizes)  # the largest takes longest
        for budget in (EQUAL_STEPS, EQUAL_FLOPS)
    }
    from_scratch = Experiment(
        "checkpoints:train_from_scratch", knobs=("ladder", "fine_tuning"), priority=1, resources=LARGE
    )
    tuned = {
        tuned_checkpoint(size): Experiment(
            "checkpoints:train_fine_tuned",
            knobs=("ladder", "fine_tuning"),
            results=("ladder", "ladder_equal_flops"),
            checkpoints=tuple(
                dict.fromkeys(ladder_checkpoint(config.ladder, size, budget) for budget in (EQUAL_STEPS, EQUAL_FLOPS))
            ),
            priority=1,
            resources=LARGE,
        )
        for size in (config.fine_tuning.small, config.fine_tuning.large)
    }
    return {**names, **tuned, **{scratch_checkpoint(size): from_scratch for size in config.fine_tuning.anew_steps}}


def ladder_checkpoint(settings: LadderConfig, size: str, budget: str) -> str:
    """The size that the equal FLOPs are those of is the same run under both budgets."""
    same = budget == EQUAL_STEPS or size == settings.equal_flops_of
    return f"{'equal_steps' if same else 'equal_flops'}_{size}"


def tuned_checkpoint(size: str) -> str:
    return f"fine_tuned_{size}"


def scratch_checkpoint(size: str) -> str:
    return f"from_scratch_{size}"
