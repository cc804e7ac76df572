"""Transfers of the cache of SmolLM2-135M's first layers between two processes, one request at a time, for the longest
prompt: size (kB), work of the sender and of the receiver, casts included, and the excess of the first gap between
tokens over an ordinary one (ms; medians with the lowest and highest repeats). By layer: each layer is sent while the
next is computed."""

import pandas as pd

from jouleproof.drawing.cells import fixed, with_ends
from jouleproof.drawing.select import where

TITLE = "Transfers of caches"
SOURCES = ["phase_split/moves"]
WAYS = {"memory": "shared memory", "gloo": "sockets (gloo)"}
PARTS = {"whole": "whole", "layers": "by layer"}
TIMES = {"sent_s": "sender (ms)", "taken_s": "receiver (ms)", "added_s": "added to the first gap (ms)"}


def tabulate(moves: pd.DataFrame) -> pd.DataFrame:
    longest = where(moves, prompt=moves["prompt"].max())
    return pd.DataFrame(_row(rows) for _, rows in longest.groupby(["way", "parts", "format"], sort=False))


def _row(rows: pd.DataFrame) -> dict[str, str]:
    first, values = rows.iloc[0], dict(iter(rows.groupby("metric")["value"]))
    times = {label: with_ends(values[metric].median(), values[metric], 1, 1e3) for metric, label in TIMES.items()}
    return {
        "way": WAYS.get(first["way"], first["way"]),
        "parts": PARTS[first["parts"]],
        "format": str(first["format"]),
        "prompt (tokens)": str(first["prompt"]),
        "cache (kB)": fixed(values["bytes"].median() / 1e3, 0),
        **times,
    }
