"""Casts of this library with all threads, medians over the passes: speed in GB/s of float32 input, into memory that is
there (`out=`), as in the figure; speed over a plain copy's, both into memory that is there, then both into new memory;
and speed over torchao's, both into new memory, since torchao takes no `out=`, from the passes that torchao took part
in, whose number stands in the header. torchao has no MXINT8. The last rows say what the first casts of a process
cost."""

import pandas as pd

from jouleproof.drawing.style import format_label, ordered_formats

TITLE = "Throughput of casts in numbers"
SOURCES = ["mx/throughput"]
OPERATIONS = {"fake_quantize": "fake-quantise", "quantize": "quantise", "dequantize": "dequantise"}


def tabulate(throughput: pd.DataFrame) -> pd.DataFrame:
    ours = throughput[(throughput["library"] == "jouleproof") & (throughput["threads"] == throughput["threads"].max())]
    medians = ours.groupby(["operation", "format", "metric", "out"])["value"].median()
    passes = ours[ours["metric"] == "over_torchao"]["repeat"].nunique()
    over_torchao = f"over torchao, new memory (x, {passes} passes)"
    names = ordered_formats(name for _, name, _, _ in medians.index)
    rows = [
        {
            "cast": title,
            "format": format_label(name),
            "GB/s": _cell(medians, operation, name, "throughput", "given", 1),
            "over copy (x)": _cell(medians, operation, name, "of_copy", "given", 2),
            "over copy, new memory (x)": _cell(medians, operation, name, "of_copy", "new", 2),
            over_torchao: _cell(medians, operation, name, "over_torchao", "new", 1),
        }
        for operation, title in OPERATIONS.items()
        for name in names
    ]
    first = throughput[throughput["metric"].str.startswith("first_call")]
    for metric, what in (("first_call_compiled", "compiled anew"), ("first_call_from_disk", "compiled code on disk")):
        seconds = first[first["metric"] == metric]["value"]
        if len(seconds):
            empty = dict.fromkeys(list(rows[0])[2:], "")
            name = format_label(str(first["format"].iloc[0]))
            rows.append({"cast": f"first three casts, {what}: {seconds.median():.1f} s", "format": name, **empty})
    return pd.DataFrame(rows)


def _cell(medians: "pd.Series[float]", operation: str, name: str, metric: str, out: str, digits: int) -> str:
    value = medians.get((operation, name, metric, out))
    return "" if value is None else f"{value:.{digits}f}"
