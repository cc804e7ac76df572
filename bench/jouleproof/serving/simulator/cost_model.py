"""The performance model of a machine: the duration and the power of an iteration."""

from dataclasses import dataclass, replace

import numpy as np

from jouleproof.errors import UserError


@dataclass(frozen=True)
class Measured:
    """The most that was measured: tokens of a prompt, tokens of context of a sequence, and decodes at once. Times of
    more are extrapolated."""

    prompt: float = np.inf
    context: float = np.inf
    decodes: float = np.inf


@dataclass(frozen=True, eq=False)
class Performance:
    """The performance of one model on one machine.

    tokens: (knots,); prompt_s, decode_s: (knots,) seconds by prompt tokens, and by decodes under the published rules;
    prompt_w: (knots,) watts; affine: additional seconds (event_loop.records.Times); decode_w: watts. mixed: factor on a
    prompt's time if decodes are in the same batch, by default the published simulator's. measured: limits beyond which
    the times are extrapolated, if known.
    """

    tokens: np.ndarray
    prompt_s: np.ndarray
    decode_s: np.ndarray
    affine: np.ndarray
    prompt_w: np.ndarray
    decode_w: float
    mixed: float = 1.1
    measured: Measured = Measured()

    def __post_init__(self) -> None:
        by_knot = (self.tokens, self.prompt_s, self.decode_s, self.prompt_w)
        if any(np.shape(values) != np.shape(self.tokens) for values in by_knot) or np.shape(self.affine) != (3,):
            shapes = ", ".join(str(np.shape(values)) for values in by_knot)
            raise UserError(
                f"performance: tokens, prompt_s, decode_s and prompt_w must have one shape (knots,), got {shapes}; "
                f"affine must have the shape (3,), got {np.shape(self.affine)}"
            )
        if np.size(self.tokens) < 2 or (np.diff(self.tokens) <= 0).any():
            raise UserError("performance: tokens must have at least two values, in ascending order")
        if not all(np.isfinite(values).all() for values in (*by_knot, self.affine, self.decode_w, self.mixed)):
            raise UserError("performance: every time and power must be finite")

    def at(self, tokens: np.ndarray) -> "Performance":
        """Return the same performance, resampled at the knots `tokens`."""
        if np.array_equal(tokens, self.tokens):
            return self
        prompt_s, decode_s = (extrapolated(tokens, self.tokens, seconds) for seconds in (self.prompt_s, self.decode_s))
        prompt_w = np.interp(tokens, self.tokens, self.prompt_w)
        return replace(self, tokens=tokens, prompt_s=prompt_s, decode_s=decode_s, prompt_w=prompt_w)

    def slowed(self, factor: float) -> "Performance":
        """Return the performance of a machine on which every iteration takes `factor` times as long."""
        return replace(
            self, prompt_s=factor * self.prompt_s, decode_s=factor * self.decode_s, affine=factor * self.affine
        )

    def unloaded_prompt_s(self, prompt: np.ndarray) -> np.ndarray:
        return extrapolated(prompt, self.tokens, self.prompt_s)

    def unloaded_token_s(self, context: np.ndarray) -> np.ndarray:
        """Return the seconds of an iteration that decodes a single sequence."""
        return (
            extrapolated(np.ones(len(context)), self.tokens, self.decode_s) + self.affine[0] + self.affine[2] * context
        )


def extrapolated(value: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return y at `value`: interpolated linearly between the knots x, or extrapolated from the outer segments."""
    segment = np.clip(np.searchsorted(x, value) - 1, 0, len(x) - 2)
    slope = (y[segment + 1] - y[segment]) / (x[segment + 1] - x[segment])
    return slope * (value - x[segment]) + y[segment]
