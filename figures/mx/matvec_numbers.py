"""Speed of products of a matrix with a vector over torch's float32 and, behind the bar, over the fastest float32 of all
installed libraries, in times, by matrix (rows × columns). Numbers are means over the rounds. The last but one column is
the 95 % interval of the number behind the bar at the largest matrix. Error: the largest difference of a sum from
float64 sums over the same weights, over the largest result, at the largest matrix."""

import pandas as pd

from jouleproof.drawing.style import format_label
from jouleproof.evidence.intervals import mean_interval

TITLE = "Matrix-vector products in numbers"
SOURCES = ["mx/matvec"]


def tabulate(matvec: pd.DataFrame) -> pd.DataFrame:
    products = matvec[(matvec["metric"] != "cache") & (matvec["format"] != "read")]
    shapes = list(dict.fromkeys(zip(products["rows"], products["columns"], strict=True)))
    values = products.groupby(["library", "format", "rows", "columns", "metric"])["value"]
    cells, (most, widest) = values.mean(), max(shapes, key=lambda shape: shape[0] * shape[1])
    rows = []
    for library, name in dict.fromkeys(zip(products["library"], products["format"], strict=True)):
        row = {"format": format_label(name), "library": library}
        for count, columns in shapes:
            over = (cells[library, name, count, columns, metric] for metric in ("over_torch_mv", "over_float32"))
            row[f"{count} × {columns}"] = " | ".join(f"{value:.2f}" for value in over)
        largest = mean_interval(values.get_group((library, name, most, widest, "over_float32")).to_numpy())
        row["95 % interval, largest"] = f"[{largest.low:.2f}, {largest.high:.2f}]"
        row["error"] = f"{cells[library, name, most, widest, 'error_of_sums']:.0e}"
        rows.append(row)
    return pd.DataFrame(rows)
