"""Published scores of language models from their model cards (facts/cards.toml)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FACTS = Path(__file__).parent / "facts" / "cards.toml"


@dataclass(frozen=True)
class Published:
    """A published model. total, active: billions of parameters, all and those used for a token; None if unknown."""

    family: str
    total: float | None = None
    active: float | None = None


@dataclass(frozen=True)
class Score:
    """A row of a card: scores on one task. by_model: in percent."""

    task: str
    area: str
    protocol: str
    by_model: Mapping[str, float]


@dataclass(frozen=True)
class Card:
    """A model card.

    subject: the model that the card describes. languages: those that the card says it supports; empty if they were not
    taken from the card.
    """

    name: str
    subject: str
    source: str
    scores: tuple[Score, ...]
    languages: tuple[str, ...] = ()


@cache
def models() -> Mapping[str, Published]:
    """Return the models by name."""
    return {name: Published(**fields) for name, fields in _facts()["models"].items()}


@cache
def questions() -> Mapping[str, int]:
    """Return the number of questions in the test split of every task for which it is known."""
    return _facts()["questions"]


@cache
def cards() -> tuple[Card, ...]:
    """Return the cards in the order of the file. Raises ValueError if a row lacks a model's score or a model is not
    listed."""
    return tuple(_card(table) for table in _facts()["card"])


def gsm8k(protocol: str) -> Mapping[str, float]:
    """Return the share of right answers to GSM8K by model, from all cards, under one protocol."""
    return {
        model: score / 100
        for card in cards()
        for row in card.scores
        if (row.task, row.protocol) == ("GSM8K", protocol)
        for model, score in row.by_model.items()
    }


def _card(table: Mapping[str, Any]) -> Card:
    unknown = sorted(set(table["models"]) - set(models()))
    if unknown:
        raise ValueError(f"{FACTS}: card {table['name']}: {', '.join(unknown)} not listed under [models]")
    rows = tuple(
        Score(task, area, protocol, dict(zip(table["models"], scores, strict=True)))
        for task, area, protocol, *scores in table["scores"]
    )
    fields = {name: table[name] for name in ("name", "subject", "source")}
    return Card(**fields, scores=rows, languages=tuple(table.get("languages", ())))


@cache
def _facts() -> Mapping[str, Any]:
    return tomllib.loads(FACTS.read_text(encoding="utf-8"))
