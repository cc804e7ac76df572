"""Tokens of a text that is cut into pieces, such that no token spans a cut and the model reads exactly the text."""

from collections.abc import Sequence
from typing import Protocol

from jouleproof.errors import UserError

ANCHORS = ("\n", "=", ".", "a", "0")
SHOWN = 12  # letters before and after the first difference


class Reader(Protocol):
    """A language model's tokenizer."""

    @property
    def name(self) -> str: ...

    def tokens(self, text: str) -> list[int]: ...

    def text(self, tokens: Sequence[int]) -> str: ...


def tokens_of_pieces(model: Reader, pieces: Sequence[str]) -> list[list[int]]:
    """Encode every piece of a text, so that the tokens of all pieces decode to the text.

    Some tokenizers put a space or a token before whatever they encode. The first piece, where the text begins, keeps
    it; a later piece is encoded after an anchor, a character whose tokens are then dropped.

    Raises UserError if the tokens do not decode to the text: the tokenizer changes it, lacks a character of it, or
    appends a token.
    """
    whole, readings = "".join(pieces), list[str]()
    for anchor in ANCHORS if len(model.tokens("")) else ("", *ANCHORS):
        tokens = _encoded(model, pieces, anchor)
        read = model.text([token for piece in tokens for token in piece])
        if whole in (read, read.removeprefix(" "), f" {read}"):  # a space before a whole text is the tokenizer's way
            return tokens
        readings.append(read)
    closest = max(readings, key=lambda reading: _common(reading, whole))
    first = _common(closest, whole)
    around = slice(max(0, first - SHOWN), first + SHOWN)
    raise UserError(
        f"models: {model.name}: the tokens of {whole[around]!r} decode to {closest[around]!r}; "
        "needed: a tokenizer that keeps a text as it is"
    )


def _encoded(model: Reader, pieces: Sequence[str], anchor: str) -> list[list[int]]:
    """Encode the first piece that is not empty alone, and later ones after the anchor."""
    dropped, tokens, begun = len(model.tokens(anchor)) if anchor else 0, list[list[int]](), False
    for piece in pieces:
        encoded = model.tokens(anchor + piece)[dropped:] if begun else model.tokens(piece)
        tokens.append(encoded if piece else [])
        begun = begun or bool(piece)
    return tokens


def _common(text: str, other: str) -> int:
    """Return the number of letters before the first that differs."""
    pairs = enumerate(zip(text, other, strict=False))
    return next((place for place, (left, right) in pairs if left != right), min(len(text), len(other)))
