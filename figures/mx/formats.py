"""Storage of the MX formats, computed from packed arrays. Bits per element include the element's share of the block's
scale. FP16 and FP32 over it: how many times as much space these take. Largest, smallest step: values of an element
under a scale of one. Finite values: the number of different finite values that the codes of an element represent; +0
and −0 count once, infinities and NaN do not count.
"""

import pandas as pd

from jouleproof.drawing.style import format_label, ordered_formats

TITLE = "MX formats: size, range and resolution"
SOURCES = ["mx/formats"]
COLUMNS = {
    "bits/element": ("bits_per_element", ".2f"),
    "FP16 over it (x)": ("fp16_ratio", ".3f"),
    "FP32 over it (x)": ("fp32_ratio", ".3f"),
    "largest": ("largest", ".5g"),
    "smallest step": ("smallest_step", ".3g"),
    "finite values": ("finite_values", ".0f"),
}


def tabulate(formats: pd.DataFrame) -> pd.DataFrame:
    value = formats.set_index(["format", "metric"])["value"]
    return pd.DataFrame(
        {"format": format_label(name)}
        | {label: f"{value[name, metric]:{form}}" for label, (metric, form) in COLUMNS.items()}
        for name in ordered_formats(formats["format"])
    )
