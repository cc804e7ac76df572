"""A cache of SmolLM2-135M's first layers on its way between two processes, one request at a time, the longest prompt of
the run: size (kB), work of the sender and of the receiver, casts included, and what the first gap between tokens has
over an ordinary one (ms; medians with the lowest and highest of the repeats). By layer: each is sent while the next is
computed."""

import pandas as pd

TITLE = "Caches that move"
SOURCES = ["phase_split/moves"]
WAYS = {"memory": "shared memory", "gloo": "sockets (gloo)"}
PARTS = {"whole": "whole", "layers": "by layer"}
TIMES = {"sent_s": "sender (ms)", "taken_s": "receiver (ms)", "added_s": "added to the first gap (ms)"}


def tabulate(moves: pd.DataFrame) -> pd.DataFrame:
    longest = moves[moves["prompt"] == moves["prompt"].max()]
    rows = []
    for (way, parts, name), group in longest.groupby(["way", "parts", "format"], sort=False):
        values = group.groupby("metric")["value"]
        row = {
            "way": WAYS.get(str(way), str(way)), "parts": PARTS[str(parts)], "format": str(name),
            "prompt (tokens)": f"{group['prompt'].iloc[0]}", "cache (kB)": f"{values.median()['bytes'] / 1e3:.0f}",
        }  # fmt: skip
        for metric, label in TIMES.items():
            ends = f"[{1e3 * values.min()[metric]:.1f}, {1e3 * values.max()[metric]:.1f}]"
            row[label] = f"{1e3 * values.median()[metric]:.1f} {ends}"
        rows.append(row)
    return pd.DataFrame(rows)
