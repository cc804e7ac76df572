"""Whether the runs can be believed. Tokens: requests that got the tokens of the mixed run of the same requests,
that differ first where two logits are closer than rounding can tell (near-ties), and that differ; some requests
against the plain decoder. Runs that did not get their processor time (voids, repeated), the least share of it that
a worker got, and what the router took of one core. Moving: what both workers spend on a cache, also as a share of
the end-to-end latency, and the wait from the first token until the cache is in its place. Law: mean error on shapes
that it was not fitted on."""

import pandas as pd

from jouleproof.drawing.style import MODE_STYLES

TITLE = "Checks of the runs that were served for real"
SOURCES = ["phase_split/serving"]
TOKENS = ("same", "near_tie", "different")
KINDS = ("prompts alone", "decodes alone", "both")


def tabulate(serving: pd.DataFrame) -> pd.DataFrame:
    rows: list[tuple[str, str]] = []
    tokens = serving.set_index(["mode", "metric"])["value"]
    against = {"chunked": "the mixed run", "split": "the mixed run", "plain": "the mixed run, some requests"}
    for mode, other in against.items():
        counts = " / ".join(f"{tokens[mode, f'tokens_{name}']:.0f}" for name in TOKENS)
        who = "plain decoder" if mode == "plain" else MODE_STYLES[mode][1]
        rows.append((f"tokens, {who} against {other}: same / near-ties / different (requests)", counts))
    runs = serving[serving["over"] == "run"].groupby("metric")["value"]
    rows += [
        ("runs that counted / void runs that were repeated / void runs that count all the same",
         f"{runs.size()['void']} / {runs.sum()['voids']:.0f} / {runs.sum()['void']:.0f}"),
        ("least share of its processor time that a worker got", f"{runs.min()['cpu_share']:.3f}"),
        ("pace of the machine around a run over that of the fitted times: lowest / highest",
         f"{runs.min()['pace']:.2f} / {runs.max()['pace']:.2f}"),
        ("router's share of one core, mean", f"{runs.mean()['router_share']:.3f}"),
        ("requests that were not served", f"{runs.sum()['not_done']:.0f}"),
        ("what the prompt worker can read (requests/s)", f"{tokens['every', 'prompt_capacity']:.2f}"),
        ("requests of the trace left out, too long for the cache (%)", f"{100 * tokens['every', 'left_out']:.1f}"),
        ("cache that moves, mean (kB)", f"{runs.mean()['moved_bytes'] / 1e3:.0f}"),
        ("work of both workers to move it, mean (ms)", f"{1e3 * runs.mean()['moving_s']:.2f}"),
        ("the same over the end-to-end latency (%)", f"{100 * runs.mean()['moving_share']:.3f}"),
        ("from the first token until it is in its place, mean (ms)", f"{1e3 * runs.mean()['handover_s']:.1f}"),
    ]  # fmt: skip
    errors = serving[serving["metric"] == "error_of_law"].set_index("over")["value"]
    rows += [(f"error of the fitted law, {kind} (%)", f"{100 * errors[kind]:.1f}") for kind in KINDS]
    return pd.DataFrame(rows, columns=["what", "found"])
