"""Damaged inputs by the number, each with a verdict: refused in one line, or read as it is; a crash, a hang or a wrong
number is kept as an example."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.errors import UserError
from tests.faults.mutate import damaged, damaged_tree
from tests.faults.targets import TARGETS, _configs, _read_settings, _settings_say

REFUSED, CRASHED, WRONG, WORDY = "refused in one line", "CRASHED", "READ WRONG", "REFUSED IN WORDS OF ITS OWN"
LONGEST_LINE = 1500  # characters
EXAMPLES = 5


@dataclass
class Tally:
    """outcomes: how often each. examples: (input's number, what happened) of the first bad ones."""

    outcomes: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[int, str]] = field(default_factory=list)

    def add(self, number: int, outcome: str, words: str = "") -> None:
        self.outcomes[outcome] += 1
        if outcome.isupper() and len(self.examples) < EXAMPLES:
            self.examples.append((number, f"{outcome}: {words:.600}"))


def rng_of(target: str, number: int) -> random.Random:
    return random.Random(f"{target}/{number}")


def fuzz(target: str, numbers: range, folder: Path, before_each: Callable[[int], None] = lambda _: None) -> Tally:
    """Damaged inputs `numbers` of a target, written to `folder` one after another."""
    tally = Tally()
    if target == "settings":
        for number in numbers:
            before_each(number)
            config = damaged_tree(rng_of(target, number), _configs())
            _one(tally, number, lambda config=config: _read_settings(config), lambda found, config=config: _settings_say(
                config, found), (UserError,), lines=True)  # fmt: skip
        return tally
    about = TARGETS[target]
    originals = about.originals()
    for number in numbers:
        before_each(number)
        files = damaged(rng_of(target, number), originals)
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        _one(tally, number, lambda: about.read(folder), lambda found, files=files: about.says(files, found, folder),
             about.refusals, lines=about.many_lines is not None)  # fmt: skip
    return tally


def _one(tally: Tally, number: int, read: Callable[[], Any], says: Callable[[Any], str],
         refusals: tuple[type[Exception], ...], lines: bool) -> None:  # fmt: skip
    try:
        found = read()
    except refusals as error:
        text = str(error)
        good = all(line.startswith(("config: ", "claims: ")) for line in text.splitlines()) if lines else "\n" not in text
        good &= max(map(len, text.splitlines()), default=0) < LONGEST_LINE
        tally.add(number, REFUSED if good else WORDY, text)
        return
    except Exception as error:  # what must not be
        tally.add(number, CRASHED, f"{type(error).__name__}: {error}")
        return
    try:
        tally.add(number, says(found))
    except Exception as error:
        tally.add(number, WRONG, f"{type(error).__name__}: {error}")
