"""The ladder by size: share of right answers to held-out problems at equal steps and at equal FLOPs of training (with
the steps that those are), means over seeds with 95 % intervals; of the better of the two FLOPs of an answer, CPU time
of a training step (medians), of an answer and of a right answer (means over seeds of their medians), as many side by
side as the heading says; and joules of a right answer, modelled."""

import pandas as pd

from jouleproof.drawing.ladder import end_of, medians
from jouleproof.evidence.digits import number, span
from jouleproof.evidence.intervals import mean_interval

TITLE = "The ladder in numbers"
SOURCES = [
    "slm_energy/ladder", "slm_energy/ladder_equal_flops", "slm_energy/ladder_cost", "slm_energy/ladder_energy",
]  # fmt: skip


def tabulate(
    ladder: pd.DataFrame, ladder_equal_flops: pd.DataFrame, ladder_cost: pd.DataFrame, ladder_energy: pd.DataFrame
) -> pd.DataFrame:
    times = medians(ladder_cost)
    rows = []
    for size in dict.fromkeys(ladder["size"]):
        ends = [end_of(table, size) for table in (ladder, ladder_equal_flops)]
        better = max((ladder, ladder_equal_flops), key=lambda table: float(end_of(table, size)["value"].mean()))
        batch = max(times["answer"][size])
        right = ladder_cost[(ladder_cost["metric"] == "cpu_ms_per_correct") & (ladder_cost["size"] == size)]
        rows.append(
            {
                "size": size,
                "parameters": f"{_value(ladder, size, 'parameters'):,.0f}",
                "equal steps": _share(ends[0]),
                "equal FLOPs": _share(ends[1]),
                "MFLOP/answer": f"{_value(better, size, 'flops_per_answer') / 1e6:.2f}",
                "ms/step": number(max(times["step"][size].values())),
                f"ms/answer, {batch} at once": number(_over_seeds(ladder_cost, size, batch)),
                "ms/right answer": number(right.loc[right["batch"] == batch, "value"].mean()) if len(right) else "–",
                "modelled mJ/right answer": _joules(ladder_energy, size, batch),
            }
        )
    return pd.DataFrame(rows)


def _over_seeds(cost: pd.DataFrame, size: str, batch: int) -> float:
    """CPU ms of an answer: the mean over seeds of the median over rounds."""
    answers = cost[(cost["metric"] == "cpu_ms") & (cost["what"] == "answer") & (cost["size"] == size)]
    return float(answers[answers["batch"] == batch].groupby("seed")["value"].median().mean())


def _value(table: pd.DataFrame, size: str, metric: str) -> float:
    return float(table.loc[(table["size"] == size) & (table["metric"] == metric), "value"].mean())


def _share(end: pd.DataFrame) -> str:
    right = mean_interval(end["value"].to_numpy())
    return f"{100 * right.value:.1f} % {span(100 * right.low, min(100.0, 100 * right.high))} ({end['step'].iloc[0]})"


def _joules(energy: pd.DataFrame, size: str, batch: float) -> str:
    joules = energy[(energy["size"] == size) & (energy["batch"] == batch)].set_index("metric")["value"]
    if "joules_per_correct" not in joules:
        return "–"
    low, high = joules["joules_per_correct_low"], joules["joules_per_correct_high"]
    return f"{number(1e3 * joules['joules_per_correct'])} {span(1e3 * low, 1e3 * high)}"
