"""Fewer bytes on the wire, in numbers. MB sent: by each of two processes (for the KV cache: by the sender). Over
bfloat16: their ratio to the bytes of bfloat16. Error: RMS of what is added over RMS of the float32 result. Cast and
uncast: time to cast what is sent and to read back what arrives (for gradients with the addition). Then, link by link,
the speed-up over float32 in times, with its 95 % interval over the repeats. The rows of float32 give instead its time
and the rate that was reached, and on loopback the time of torch's own all-reduce. Where the rate lies below the link's,
the machine was the limit, not the link."""

import pandas as pd

from jouleproof.drawing.style import format_label, ordered_formats
from jouleproof.evidence.intervals import mean_interval

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
        "over bfloat16 (ratio)": f"{_mean(rows, 'bytes_over_bfloat16'):.3f}",
        "error (ratio)": f"{_mean(rows, 'relative_error'):.4f}",
        "cast (ms)": f"{1e3 * _mean(rows, 'cast_s'):.1f}",
        "uncast (ms)": f"{1e3 * _mean(rows, 'uncast_s'):.1f}",
        **{link: _cell(rows[rows["link"] == link], name) for link in links},
    }


def _cell(rows: pd.DataFrame, name: str) -> str:
    if name == "float32":
        of_torch = rows["metric"] == "torch_all_reduce_s"
        beside = f", torch's own {1e3 * _mean(rows, 'torch_all_reduce_s'):.0f} ms" if of_torch.any() else ""
        return f"{1e3 * _mean(rows, 'time_s'):.0f} ms at {_mean(rows, 'wire_rate'):.1f} Gbit/s{beside}"
    speedup = mean_interval(rows[rows["metric"] == "speedup_over_float32"]["value"].to_numpy())
    return f"{speedup.value:.2f} [{speedup.low:.2f}, {speedup.high:.2f}]"


def _mean(rows: pd.DataFrame, metric: str) -> float:
    return float(rows[rows["metric"] == metric]["value"].mean())
