"""Fewer bytes on the wire, in numbers: megabytes that each of two processes sends (for the KV cache: the sender), their
ratio to bfloat16's, the error added (RMS over RMS of the float32 result), time to cast and to read back (for gradients
with the addition), and, link by link, the speed-up over float32 with its 95 % interval over the repeats. The rows of
float32 give its time and the rate that was reached instead, and on loopback the time of torch's own all-reduce: where
the rate lies below the link's, the machine was the limit, not the link."""

import pandas as pd

from bench.stats import mean_interval
from figures.style import format_label, ordered_formats

TITLE = "Fewer bytes on the wire, in numbers"
SOURCES = ["mx/wire"]
PAYLOADS = {"gradient": "gradient", "kv_cache": "KV cache"}


def tabulate(wire: pd.DataFrame) -> pd.DataFrame:
    links = [link for link in dict.fromkeys(wire["link"]) if link != "every"]
    names = sorted(ordered_formats(wire["format"]), key=lambda name: name not in ("float32", "bfloat16"))
    return pd.DataFrame(
        [
            _row(wire[(wire["payload"] == payload) & (wire["format"] == name)], name, payload, links)
            for payload in PAYLOADS
            for name in names
        ]
    )


def _row(rows: pd.DataFrame, name: str, payload: str, links: list[str]) -> dict[str, str]:
    """rows: of one payload and format."""
    return {
        "format": format_label(name),
        "payload": PAYLOADS[payload],
        "MB sent": f"{_mean(rows, 'sent_bytes') / 1e6:.2f}",
        "over bfloat16": f"{_mean(rows, 'bytes_over_bfloat16'):.3f}",
        "error": f"{_mean(rows, 'relative_error'):.2g}",
        "cast (ms)": f"{1e3 * _mean(rows, 'cast_s'):.1f}",
        "uncast (ms)": f"{1e3 * _mean(rows, 'uncast_s'):.1f}",
        **{link: _cell(rows[rows["link"] == link], name) for link in links},
    }


def _cell(rows: pd.DataFrame, name: str) -> str:
    if name == "float32":
        own = rows["metric"] == "torch_all_reduce_s"
        beside = f", torch's own {1e3 * _mean(rows, 'torch_all_reduce_s'):.0f} ms" if own.any() else ""
        return f"{1e3 * _mean(rows, 'time_s'):.0f} ms at {_mean(rows, 'wire_rate'):.2g} Gbit/s{beside}"
    found = mean_interval(rows[rows["metric"] == "speedup_over_float32"]["value"].to_numpy())
    return f"{found.value:.2f}x [{found.low:.2f}, {found.high:.2f}]"


def _mean(rows: pd.DataFrame, metric: str) -> float:
    return float(rows[rows["metric"] == metric]["value"].mean())
