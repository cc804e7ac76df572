"""SmolLM2-135M fine-tuned to the right sides of calculations in GSM8K's solutions: all of its weights, or LoRA's small
additions. Left: held-out calculations that are right, with 95 % intervals over them. Right: processor time of one step
of eight texts on one core, beside reading the same texts without learning; means with 95 % intervals."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from jouleproof.drawing.palette import BLUE, INK, VERMILION
from jouleproof.drawing.style import HEIGHT, WIDTH
from jouleproof.evidence.intervals import mean_interval, share_interval

TITLE = "Fine-tuning real weights"
SOURCES = ["slm_energy/tuning", "slm_energy/tuning_cost"]
WAYS = {
    "full": (BLUE, "o", "all weights"),
    "lora": (VERMILION, "s", "LoRA"),
    "reading": (INK, "^", "nothing: reading"),
}
APART = 0.15  # steps between ways


def draw(tuning: pd.DataFrame, tuning_cost: pd.DataFrame) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, HEIGHT))
    scores = tuning[tuning["metric"] == "right"]
    for number, (way, rows) in enumerate(scores.groupby("way", sort=False)):
        colour, marker, label = WAYS[str(way)]
        groups = [rows[rows["step"] == step]["value"] for step in sorted(set(rows["step"]))]
        shares = {step: share_interval(int(group.sum()), len(group))
                 for step, group in zip(sorted(set(rows["step"])), groups, strict=True)}  # fmt: skip
        across = [step + APART * number for step in shares]
        values = [at.value for at in shares.values()]
        ends = [[at.value - at.low for at in shares.values()], [at.high - at.value for at in shares.values()]]
        left.errorbar(across, values, ends, color=colour, marker=marker, capsize=2, label=label)
    left.set_xticks(sorted(set(scores["step"])))
    left.set_ylim(0, 1)
    left.set_xlabel("steps (1)")
    left.set_ylabel("right calculations (share)")
    left.legend(loc="lower right")
    times = tuning_cost[tuning_cost["metric"] == "cpu_s_per_step"]
    ways = list(dict.fromkeys(times["way"]))
    for place, way in enumerate(ways):
        colour, marker, _ = WAYS[way]
        at = mean_interval(times[times["way"] == way]["value"].to_numpy())
        right.errorbar(at.value, place, xerr=[[at.value - at.low], [at.high - at.value]], color=colour,
                       marker=marker, capsize=2)  # fmt: skip
    right.set_yticks(range(len(ways)), [WAYS[way][2] for way in ways])
    right.set_ylim(len(ways) - 0.5, -0.5)
    right.set_xlim(left=0)
    right.set_ylabel("what is trained")
    right.set_xlabel("CPU time of a step (s)")
    return figure
