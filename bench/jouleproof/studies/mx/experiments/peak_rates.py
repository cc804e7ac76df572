"""What accelerators gain by narrow formats, as published: nothing here was run."""

import pandas as pd

from jouleproof.evidence.tables import CITED, tidy
from jouleproof.studies.mx.accelerators import BITS, accelerators


def peak_rates() -> pd.DataFrame:
    """Dense peak rate by format, and over the rate of 16-bit floats of the same chip."""
    rows = []
    for chip in accelerators():
        factors = {"accelerator": chip.name, "block_scaled": "yes" if chip.block_scaled else "no"}
        for name, rate in chip.rates.items():
            row = {**factors, "format": name, "element_bits": BITS[name]}
            rows.append({**row, "metric": "peak_rate", "unit": "TFLOP/s", "value": rate})
            rows.append({**row, "metric": "over_16_bit", "unit": "x", "value": rate / chip.rates["bf16"]})
    return tidy(rows, tier=CITED)
