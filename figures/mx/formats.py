"""What the six MX formats store. Bits per element: with their share of the block's scale. FP16 and FP32 over it: how
many times the space these take. Largest, and smallest step: of an element under a scale of one, without a unit. Finite
values: how many different finite numbers the codes of an element stand for, where +0 and −0 count once and infinities
and NaN not at all."""

import pandas as pd

from jouleproof.drawing.style import format_label, ordered_formats

TITLE = "MX formats: size, range and resolution"
SOURCES = ["mx/formats"]


def tabulate(formats: pd.DataFrame) -> pd.DataFrame:
    values = {key: float(value) for key, value in formats.set_index(["format", "metric"])["value"].items()}
    rows = [
        {
            "format": format_label(name),
            "bits/element": f"{values[name, 'bits_per_element']:.2f}",
            "FP16 over it (x)": f"{values[name, 'fp16_ratio']:.3f}",
            "FP32 over it (x)": f"{values[name, 'fp32_ratio']:.3f}",
            "largest": f"{values[name, 'largest']:.5g}",
            "smallest step": f"{values[name, 'smallest_step']:.3g}",
            "finite values": f"{values[name, 'finite_values']:.0f}",
        }
        for name in ordered_formats(formats["format"])
    ]
    return pd.DataFrame(rows)
