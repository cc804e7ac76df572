"""Damaged inputs, by number: each is refused in one line or read as it is; anything else is saved as an example."""

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.targets import TARGETS, Target

REFUSED = "refused in one line"
CRASHED, WRONG, WORDY = BAD = ("crashed", "read wrongly", "refused in more than a line")
LONGEST_LINE = 1500  # characters
EXAMPLES = 5


@dataclass
class Tally:
    """A count of what happened. outcomes: how often each. examples: (number of the input, what happened) of the first
    bad ones."""

    outcomes: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[int, str]] = field(default_factory=list)

    def add(self, number: int, outcome: str, words: str) -> None:
        self.outcomes[outcome] += 1
        if outcome in BAD and len(self.examples) < EXAMPLES:
            self.examples.append((number, f"{outcome}: {words:.600}"))


def fuzz(name: str, numbers: range, folder: Path) -> Tally:
    """Try the damaged inputs of these numbers on a target, written into `folder` one after another."""
    tally = Tally()
    for number in numbers:
        case = TARGETS[name].draw(random.Random(f"{name}/{number}"))
        tally.add(number, *try_one(TARGETS[name], case, folder))
    return tally


def try_one(target: Target, case: Any, folder: Path) -> tuple[str, str]:
    """Return what happened, and the text of an error."""
    try:
        value = target.read(case, folder)
    except target.refusals as error:
        return (REFUSED if _is_short(str(error), target.lines) else WORDY), str(error)
    except Exception as error:  # must not happen
        return CRASHED, f"{type(error).__name__}: {error}"
    try:
        return target.says(case, value, folder), ""
    except Exception as error:
        return WRONG, f"{type(error).__name__}: {error}"


def _is_short(message: str, starts: tuple[str, ...]) -> bool:
    lines = message.split("\n")
    return all(len(line) < LONGEST_LINE for line in lines) and (
        all(line.startswith(starts) for line in lines) if starts else len(lines) == 1
    )
