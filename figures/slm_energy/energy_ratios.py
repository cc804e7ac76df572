"""Energy of a token of the larger model over that of the smaller one, each in the best configuration that ML.ENERGY
measured; in brackets the ratio for a whole answer, if published. Columns are GPUs at two numbers of concurrent
requests, and at the best number. Marked ×: the model with fewer parameters takes more energy; †: the larger model has
fewer active parameters. chat: lm-arena-chat; questions: GPQA."""

import pandas as pd

from jouleproof.drawing.select import where
from jouleproof.evidence.digits import number

TITLE = "Large over small, as measured"
SOURCES = ["slm_energy/energy_points"]
TASKS = {"lm-arena-chat": "chat", "gpqa": "questions"}
GPUS, LIMITS = ("H100", "B200"), (8, 64)
PAIRS = (  # task, smaller and larger by all parameters
    ("lm-arena-chat", "Qwen 3 8B", "Qwen 3 14B"),
    ("lm-arena-chat", "Qwen 3 8B", "Qwen 3 32B"),
    ("lm-arena-chat", "Qwen 3 8B", "Qwen 3 30B A3B Instruct"),
    ("lm-arena-chat", "Qwen 3 30B A3B Instruct", "Qwen 3 32B"),
    ("lm-arena-chat", "Qwen 3 8B", "Qwen 3 235B A22B Instruct"),
    ("lm-arena-chat", "Llama 3.1 8B Instruct", "Llama 3.1 70B Instruct"),
    ("lm-arena-chat", "Gemma 3 12B", "Gemma 3 27B"),
    ("gpqa", "Qwen 3 8B", "Qwen 3 14B"),
    ("gpqa", "Qwen 3 8B", "GPT OSS 20B"),
    ("gpqa", "GPT OSS 20B", "GPT OSS 120B"),
)
METRICS = ("joules_per_token", "joules_per_answer")


def tabulate(energy_points: pd.DataFrame) -> pd.DataFrame:
    active = energy_points.drop_duplicates("model").set_index("model")["active_b"]
    rows = []
    for task, small, large in PAIRS:
        points = where(energy_points, task=task, model=[small, large])
        if points["model"].nunique() == 2:
            rows.append(_row(points, task, small, large, (active[small], active[large])))
    return pd.DataFrame(rows)


def _row(points: pd.DataFrame, task: str, small: str, large: str, active: tuple[float, float]) -> dict[str, str]:
    row = {
        "task": TASKS[task],
        "small → large": f"{small} → {large}",
        "active (10⁹)": " → ".join(map(number, active)),
    }
    for gpu in GPUS:
        for limit in (*LIMITS, None):
            chosen = where(points, gpu=gpu, **({"limit": limit} if limit else {}))
            token, answer = (_ratio(where(chosen, metric=metric), small, large) for metric in METRICS)
            head = f"{gpu}, {f'{limit} at once' if limit else 'best'}"
            row[head] = "" if token is None else _cell(token, answer, active[0] > active[1])
    return row


def _cell(token: float, answer: float | None, larger_is_less_active: bool) -> str:
    text = number(round(token, 2)) + (f" [{number(round(answer, 2))}]" if answer is not None else "")
    if min(token, answer or token) < 1:
        return f"{text} ×"
    return f"{text} †" if larger_is_less_active else text


def _ratio(points: pd.DataFrame, small: str, large: str) -> float | None:
    """Return the ratio, or None if one of the models was not measured."""
    best = points.groupby("model")["value"].min()
    return float(best[large] / best[small]) if len(best) == 2 else None
