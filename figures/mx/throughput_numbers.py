"""Casts of this library with all threads, medians over the passes: speed in GB/s of float32 input, into existing memory
(`out=`), as in the figure; speed over a plain copy, both into existing memory, then both into new memory; and speed
over torchao, both into new memory because torchao has no `out=`, over the passes that include torchao, whose number
is in the header. torchao has no MXINT8. The last rows give the time of a process's first casts.
"""

import pandas as pd

from jouleproof.drawing.cells import fixed
from jouleproof.drawing.select import where
from jouleproof.drawing.style import format_label, ordered_formats

TITLE = "Throughput of casts in numbers"
SOURCES = ["mx/throughput"]
OPERATIONS = {"fake_quantize": "fake-quantise", "quantize": "quantise", "dequantize": "dequantise"}
FIRST = {"first_call_compiled": "nothing compiled on disk", "first_call_from_disk": "compiled code on disk"}


def tabulate(throughput: pd.DataFrame) -> pd.DataFrame:
    ours = where(throughput, library="jouleproof", threads=throughput["threads"].max())
    medians = ours.groupby(["operation", "format", "metric", "out"])["value"].median()
    columns = {
        "GB/s": ("throughput", "given", 1),
        "over copy (x)": ("of_copy", "given", 2),
        "over copy, new memory (x)": ("of_copy", "new", 2),
        f"over torchao, new memory (x, {where(ours, metric='over_torchao')['repeat'].nunique()} passes)": (
            "over_torchao",
            "new",
            1,
        ),
    }
    rows = [
        {"cast": title, "format": format_label(name)}
        | {
            label: fixed(medians.get((operation, name, metric, out)), digits, missing="")
            for label, (metric, out, digits) in columns.items()
        }
        for operation, title in OPERATIONS.items()
        for name in ordered_formats(ours["format"])
    ]
    for metric, what in FIRST.items():
        calls = where(throughput, metric=metric)
        if len(calls):
            cast = f"first three casts, {what}: {calls['value'].median():.1f} s"
            rows.append({"cast": cast, "format": format_label(str(calls["format"].iloc[0]))})
    return pd.DataFrame(rows).fillna("")
