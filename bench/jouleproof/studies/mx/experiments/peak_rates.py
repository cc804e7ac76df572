"""Published gains of accelerators from narrow formats; nothing here is measured."""

import pandas as pd

from jouleproof.evidence.tables import CITED, tidy
from jouleproof.studies.mx.accelerators import BITS, accelerators


def peak_rates() -> pd.DataFrame:
    """Tabulate dense peak rates by format, and their ratios to the 16-bit float rate of the same chip."""
    rows = []
    for chip in accelerators():
        factors = {"accelerator": chip.name, "block_scaled": "yes" if chip.block_scaled else "no"}
        for name, rate in chip.rates.items():
            row = {**factors, "format": name, "element_bits": BITS[name]}
            rows.append({**row, "metric": "peak_rate", "unit": "TFLOP/s", "value": rate})
            rows.append({**row, "metric": "over_16_bit", "unit": "x", "value": rate / chip.rates["bf16"]})
    return tidy(rows, tier=CITED)
