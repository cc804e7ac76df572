"""Speed of matrix-vector products over torch's float32 and, after the bar, over the fastest float32 of all installed
libraries (ratios), by matrix (rows × columns), means over the rounds. The last column but one gives the 95 % interval
of the number after the bar for the largest matrix. Error: the largest difference of a sum from float64 sums over the
same weights, relative to the largest result, for the largest matrix.
"""

import pandas as pd

from jouleproof.drawing.points import mean_of
from jouleproof.drawing.select import unique, where
from jouleproof.drawing.style import format_label

TITLE = "Matrix-vector products in numbers"
SOURCES = ["mx/matvec"]


def tabulate(matvec: pd.DataFrame) -> pd.DataFrame:
    products = matvec[(matvec["metric"] != "cache") & (matvec["format"] != "read")]
    shapes = unique(zip(products["rows"], products["columns"], strict=True))
    cells = products.groupby(["library", "format", "rows", "columns", "metric"])["value"].mean()
    largest = max(shapes, key=lambda shape: shape[0] * shape[1])
    at_largest = where(products, rows=largest[0], columns=largest[1])
    rows = []
    for library, name in unique(zip(products["library"], products["format"], strict=True)):
        row = {"format": format_label(name), "library": library}
        for shape in shapes:
            over = (cells[library, name, *shape, metric] for metric in ("over_torch_mv", "over_float32"))
            row[f"{shape[0]} × {shape[1]}"] = " | ".join(f"{value:.2f}" for value in over)
        mean = mean_of(at_largest, library=library, format=name, metric="over_float32")
        row["95 % interval, largest"] = f"[{mean.low:.2f}, {mean.high:.2f}]"
        row["error"] = f"{cells[library, name, *largest, 'error_of_sums']:.0e}"
        rows.append(row)
    return pd.DataFrame(rows)
