"""What model cards report: scores, and which rivals the subject of a card beats."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from jouleproof.evidence.tables import CITED, tidy
from jouleproof.studies.slm_energy import model_cards as published
from jouleproof.studies.slm_energy.model_cards import Card, Published, Score

SAME_SIZE, LARGER, UNKNOWN = "up to twice its size", "more than twice its size", "of unknown size"
WON = {1: 1.0, 0: 0.5, -1: 0.0}
NORMAL_95 = 1.96


def cards() -> pd.DataFrame:
    """Tabulate the content of the cards.

    score: percent by card, model and task. won: 1 if the card's subject scores above the model, 0.5 if the scores are
    equal, 0 if it scores below. share_won: mean of won over the tasks of an area, or over all. questions: of a task, if
    known; for these tasks, difference, difference_low and difference_high compare the two scores, with a 95 % interval
    for another draw of questions. languages: number that the subject is said to support.

    total_b, active_b: billions of parameters, 0 if they are not published. size: of the model relative to the subject.
    Models of the subject's family are not rivals.
    """
    rows = [row for card in published.cards() for row in _rows(card)]
    unknown = {"total_b": 0.0, "active_b": 0.0}
    nothing = {**dict.fromkeys(("model", "family", "size"), "none"), **unknown}
    nothing |= dict.fromkeys(("task", "area", "protocol"), "none")
    return tidy(({**nothing, **row} for row in rows), tier=CITED)


def size_beside(model: Published, subject: Published) -> str:
    """Return the size of the model relative to the subject, one of three, by all parameters."""
    if model.total is None or subject.total is None:
        return UNKNOWN
    return SAME_SIZE if model.total <= 2 * subject.total else LARGER


def _rows(card: Card) -> Iterator[dict[str, Any]]:
    factors = {"card": card.name, "subject": card.subject}
    if card.languages:
        yield {**factors, "metric": "languages", "unit": "languages", "value": len(card.languages)}
    for score in card.scores:
        for model, value in score.by_model.items():
            yield {**factors, **_named(card, model), **_asked(score), "metric": "score", "unit": "%", "value": value}
    for model in _rivals(card) if card.scores else ():
        yield from ({**factors, **_named(card, model), **row} for row in _against(card, model))


def _rivals(card: Card) -> list[str]:
    models = published.models()
    return [model for model in card.scores[0].by_model if models[model].family != models[card.subject].family]


def _against(card: Card, model: str) -> Iterator[dict[str, Any]]:
    won: list[float] = []
    areas: dict[str, list[float]] = {}
    for score in card.scores:
        ours, theirs = score.by_model[card.subject], score.by_model[model]
        won.append(WON[int(np.sign(ours - theirs))])
        areas.setdefault(score.area, []).append(won[-1])
        yield {**_asked(score), "metric": "won", "unit": "1", "value": won[-1]}
        if questions := published.questions().get(score.task):
            yield {**_asked(score), "metric": "questions", "unit": "questions", "value": questions}
            for end, value in _difference(ours / 100, theirs / 100, questions).items():
                yield {**_asked(score), "metric": f"difference{end}", "unit": "points", "value": 100 * value}
    for area, values in {"all": won, **areas}.items():
        yield {"area": area, "metric": "share_won", "unit": "share of tasks", "value": np.mean(values)}


def _difference(ours: float, theirs: float, questions: int) -> dict[str, float]:
    """Return the difference of two shares of right answers and its 95 % interval, as if both models had been asked
    different questions."""
    middle = ours - theirs
    reach = NORMAL_95 * np.sqrt((ours * (1 - ours) + theirs * (1 - theirs)) / questions)
    return {"": middle, "_low": middle - reach, "_high": middle + reach}


def _named(card: Card, model: str) -> dict[str, Any]:
    entry, subject = published.models()[model], published.models()[card.subject]
    return {
        "model": model,
        "family": entry.family,
        "total_b": entry.total or 0.0,
        "active_b": entry.active or 0.0,
        "size": size_beside(entry, subject),
    }


def _asked(score: Score) -> dict[str, Any]:
    return {"task": score.task, "area": score.area, "protocol": score.protocol or "not said"}
