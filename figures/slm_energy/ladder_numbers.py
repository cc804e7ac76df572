"""The ladder by size: share of right answers to held-out problems after training with equal steps and with equal FLOPs
(and the number of steps), as means over seeds with 95 % intervals; for the better of the two, FLOPs of an answer, CPU
time of a training step (median), of an answer and of a right answer (means over seeds of their medians), for the number
side by side in the heading; and modelled joules of a right answer."""

import pandas as pd

from jouleproof.drawing.cells import MISSING, spanned
from jouleproof.drawing.ladder import end_of, medians
from jouleproof.drawing.points import estimate_in
from jouleproof.drawing.select import unique, where
from jouleproof.evidence.digits import number, span
from jouleproof.evidence.intervals import mean_interval

TITLE = "The ladder in numbers"
SOURCES = [
    "slm_energy/ladder",
    "slm_energy/ladder_equal_flops",
    "slm_energy/ladder_cost",
    "slm_energy/ladder_energy",
]


def tabulate(
    ladder: pd.DataFrame, ladder_equal_flops: pd.DataFrame, ladder_cost: pd.DataFrame, ladder_energy: pd.DataFrame
) -> pd.DataFrame:
    times = medians(ladder_cost)
    rows = []
    for size in unique(ladder["size"]):
        steps, flops = (where(table, size=size) for table in (ladder, ladder_equal_flops))
        better = max((steps, flops), key=lambda table: float(end_of(table, size)["value"].mean()))
        batch = max(times["answer"][size])
        cost = where(ladder_cost, size=size, batch=batch)
        right = where(cost, metric="cpu_ms_per_correct")["value"]
        answers = where(cost, metric="cpu_ms", what="answer").groupby("seed")["value"].median()
        rows.append(
            {
                "size": size,
                "parameters": f"{where(ladder, size=size, metric='parameters')['value'].mean():,.0f}",
                "equal steps": _share(end_of(steps, size)),
                "equal FLOPs": _share(end_of(flops, size)),
                "MFLOP/answer": f"{where(better, metric='flops_per_answer')['value'].mean() / 1e6:.2f}",
                "ms/step": number(max(times["step"][size].values())),
                f"ms/answer, {batch} at once": number(float(answers.mean())),
                "ms/right answer": number(right.mean()) if len(right) else MISSING,
                "modelled mJ/right answer": _millijoules(where(ladder_energy, size=size, batch=batch)),
            }
        )
    return pd.DataFrame(rows)


def _share(end: pd.DataFrame) -> str:
    right = mean_interval(end["value"].to_numpy())
    return f"{100 * right.value:.1f} % {span(100 * right.low, min(100.0, 100 * right.high))} ({end['step'].iloc[0]})"


def _millijoules(energy: pd.DataFrame) -> str:
    joules = 1e3 * energy.set_index("metric")["value"]
    return spanned(estimate_in(joules, "joules_per_correct")) if "joules_per_correct" in joules else MISSING
