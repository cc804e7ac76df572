"""Speed of matrix-vector products over torch's float32 and, behind the bar, over the fastest float32 product of all
installed libraries, by matrix; medians over the rounds. The error is the largest of the sums, relative to the largest
result, against float64 sums over the same weights, at the largest matrix."""

import pandas as pd

from figures.style import format_label

TITLE = "Matrix-vector products in numbers"
SOURCES = ["mx/matvec"]


def tabulate(matvec: pd.DataFrame) -> pd.DataFrame:
    products = matvec[(matvec["metric"] != "cache") & (matvec["format"] != "read")]
    shapes = list(dict.fromkeys(zip(products["rows"], products["columns"], strict=True)))
    cells = products.groupby(["library", "format", "rows", "columns", "metric"])["value"].median()
    rows = []
    for library, name in dict.fromkeys(zip(products["library"], products["format"], strict=True)):
        row = {"format": format_label(name), "library": library}
        for count, columns in shapes:
            over = (cells[library, name, count, columns, metric] for metric in ("over_torch_mv", "over_float32"))
            row[f"{count} × {columns}"] = " | ".join(f"{value:.2f}" for value in over)
        row["error"] = f"{cells[(library, name, *shapes[-1], 'error_of_sums')]:.0e}"
        rows.append(row)
    return pd.DataFrame(rows)
