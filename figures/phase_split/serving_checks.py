"""Checks that the runs are valid. Tokens: requests whose tokens equal those of the mixed run of the same requests,
first differ where rounding may swap two logits (near-ties), or differ otherwise; some requests against the plain
decoder. Runs: those that lacked processor time (void, repeated), the lowest share of it that a worker got,
and the router's share of one core. Moving: the time that both workers spend on a cache, also as a share of the
end-to-end latency, and the wait from the first token until the cache is in place. Law: mean error on shapes to which it
was not fitted."""

import pandas as pd

from jouleproof.drawing.cells import fixed
from jouleproof.drawing.select import where
from jouleproof.drawing.style import MODE_STYLES

TITLE = "Checks of the runs on a real engine"
SOURCES = ["phase_split/serving"]
TOKENS = ("same", "near_tie", "different")
AGAINST = {"chunked": "the mixed run", "split": "the mixed run", "plain": "the mixed run, some requests"}
KINDS = ("prompts alone", "decodes alone", "both")


def tabulate(serving: pd.DataFrame) -> pd.DataFrame:
    value = serving.set_index(["mode", "metric"])["value"]
    cells = {}
    for mode, other in AGAINST.items():
        who = "plain decoder" if mode == "plain" else MODE_STYLES[mode][1]
        what = f"tokens, {who} against {other}: same / near-ties / different (requests)"
        cells[what] = " / ".join(fixed(value[mode, f"tokens_{name}"], 0) for name in TOKENS)
    runs = dict(iter(where(serving, over="run").groupby("metric")["value"]))
    moving = {name: runs[name].mean() for name in ("moved_bytes", "moving_s", "moving_share", "handover_s")}
    void = runs["void"]
    cells |= {
        "runs that counted / void runs that were repeated / void runs that count all the same": (
            f"{len(void)} / {runs['voids'].sum():.0f} / {void.sum():.0f}"
        ),
        "lowest share of its processor time that a worker got": fixed(runs["cpu_share"].min(), 3),
        "pace of the machine around a run over that of the fitted times: lowest / highest": (
            f"{runs['pace'].min():.2f} / {runs['pace'].max():.2f}"
        ),
        "router's share of one core, mean": fixed(runs["router_share"].mean(), 3),
        "requests that were not served": fixed(runs["not_done"].sum(), 0),
        "capacity of the prompt worker (requests/s)": fixed(value["every", "prompt_capacity"], 2),
        "requests of the trace left out, too long for the cache (%)": fixed(value["every", "left_out"], 1, 100),
        "cache that moves, mean (kB)": fixed(moving["moved_bytes"] / 1e3, 0),
        "work of both workers to move it, mean (ms)": fixed(moving["moving_s"], 2, 1e3),
        "the same over the end-to-end latency (%)": fixed(moving["moving_share"], 3, 100),
        "from the first token until it is in place, mean (ms)": fixed(moving["handover_s"], 1, 1e3),
    }
    errors = where(serving, metric="error_of_law").set_index("over")["value"]
    cells |= {f"error of the fitted law, {kind} (%)": fixed(errors[kind], 1, 100) for kind in KINDS}
    return pd.DataFrame(cells.items(), columns=["check", "result"])
