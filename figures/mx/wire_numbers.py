"""Transfers in numbers. MB sent: by each of two processes (for the KV cache: by the sender). Over bfloat16: the ratio
to the bytes of bfloat16. Error: RMS of the added error over RMS of the float32 result. Cast and uncast: time to cast
what is sent, and to decode what arrives (for gradients including the addition). Then, for each link, the speed-up over
float32 (a ratio), with its 95 % interval over the repeats. The rows of float32 instead give its time and the rate
reached, and on loopback the time of torch's own all-reduce. If that rate is below the link's, the machine was the
limit, not the link.
"""

import pandas as pd

from jouleproof.drawing.cells import fixed, mean_with_interval
from jouleproof.drawing.select import unique, where
from jouleproof.drawing.style import format_label, ordered_formats

TITLE = "Fewer bytes on the wire, in numbers"
SOURCES = ["mx/wire"]
PAYLOADS = {"gradient": "gradient", "kv_cache": "KV cache"}
COLUMNS = {  # digits, factor
    "MB sent": ("sent_bytes", 2, 1e-6),
    "over bfloat16 (ratio)": ("bytes_over_bfloat16", 3, 1.0),
    "error (ratio)": ("relative_error", 4, 1.0),
    "cast (ms)": ("cast_s", 1, 1e3),
    "uncast (ms)": ("uncast_s", 1, 1e3),
}


def tabulate(wire: pd.DataFrame) -> pd.DataFrame:
    names = sorted(ordered_formats(wire["format"]), key=lambda name: name not in ("float32", "bfloat16"))
    return pd.DataFrame(
        _row(where(wire, payload=payload, format=name), name, payload) for payload in PAYLOADS for name in names
    )


def _row(rows: pd.DataFrame, name: str, payload: str) -> dict[str, str]:
    """Return the table row of one payload and format. rows: its results."""
    means = rows.groupby("metric")["value"].mean()
    links = [link for link in unique(rows["link"]) if link != "every"]
    return {
        "format": format_label(name),
        "payload": PAYLOADS[payload],
        **{label: fixed(means[metric], digits, factor) for label, (metric, digits, factor) in COLUMNS.items()},
        **{link: _cell(where(rows, link=link), name) for link in links},
    }


def _cell(rows: pd.DataFrame, name: str) -> str:
    if name != "float32":
        return mean_with_interval(where(rows, metric="speedup_over_float32")["value"], 2)
    means = rows.groupby("metric")["value"].mean()
    of_torch = means.get("torch_all_reduce_s")
    beside = "" if of_torch is None else f", torch's own {1e3 * of_torch:.0f} ms"
    return f"{1e3 * means['time_s']:.0f} ms at {means['wire_rate']:.1f} Gbit/s{beside}"
