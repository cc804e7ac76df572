"""Problems and a model with random weights, for tests of the tasks of real weights."""

from dataclasses import replace

from jouleproof.inputs import Problem
from jouleproof.studies.slm_energy.config import SlmEnergyConfig
from jouleproof.studies.slm_energy.tasks import Score, Task, some
from tests.models.small import DECODER, language_model

PROBLEMS = [
    Problem(f"Tom has {a} and gets {b}.", f"He has {a}+{b}=<<{a}+{b}={a + b}>>{a + b}.\n#### {a + b}", a + b)
    for a, b in ((3, 4), (10, 5), (7, 7), (2, 9), (6, 1), (8, 8))
]
HERE = "tests.slm_energy.small_models"
MODEL = language_model(seed=3)
SMALL, LARGER = DECODER, replace(DECODER, width=128, mlp_width=192, layers=3)


def make_model():
    return MODEL


def _length(model, problems):
    """Count the tokens of a question."""
    for number, problem in enumerate(problems):
        yield number, Score("tokens", "tokens", len(model.tokens(problem.question)))


TASK = Task("lengths", some, _length)


CONFIG = SlmEnergyConfig.model_validate(
    {
        "quality": {
            "models": [f"{HERE}:make_model"],
            "formats": ["float32", "bfloat16", "mxfp4"],
            "items": {"solutions": 4, "sums": 6, "problems": 2},
            "cast_items": 2,
        },
        "cost": {
            "shapes": [f"{HERE}:SMALL", f"{HERE}:LARGER"],
            "prompt": 8,
            "batches": [1, 2],
            "repeats": 3,
            "draws": 20,
        },
        "tuning": {"checkpoints": [1, 2], "batch": 2, "items": 3, "most_tokens": 64, "rank": 2},
        "engines": {
            "engines": ["runner", "runner_bfloat16", "eager", "transformers"],
            "prompt": 8,
            "tokens": 2,
            "repeats": 2,
        },
    }
)
