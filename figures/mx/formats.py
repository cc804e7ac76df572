"""What the six MX formats store: bits per element with their share of the block's scale, the size against FP16 and
FP32, and range and resolution of an element under a scale of one."""

import pandas as pd

from figures.style import format_label, ordered_formats

TITLE = "MX formats: size, range and resolution"
SOURCES = ["mx/formats"]


def tabulate(formats: pd.DataFrame) -> pd.DataFrame:
    values = {key: float(value) for key, value in formats.set_index(["format", "metric"])["value"].items()}
    rows = [
        {
            "format": format_label(name),
            "bits/element": f"{values[name, 'bits_per_element']:.2f}",
            "FP16 size over it": f"{values[name, 'fp16_ratio']:.3f}x",
            "FP32 size over it": f"{values[name, 'fp32_ratio']:.3f}x",
            "largest": f"{values[name, 'largest']:.5g}",
            "smallest step": f"{values[name, 'smallest_step']:.3g}",
            "values": f"{values[name, 'finite_values']:.0f}",
        }
        for name in ordered_formats(formats["format"])
    ]
    return pd.DataFrame(rows)
