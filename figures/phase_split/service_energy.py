"""One service (the Azure conversation hour, corrected rules, H100) by stored format, by share of its requests that are
answered elsewhere, and by way of serving: machines (prompt + token); joules per remaining request, by use at the
highest load that the machines sustain, and at the lowest simulated load; nameplate kW per request/s; W per machine that
a row of ten needs, with rows of one pool and with rows of both; and whether the hour meets all service levels."""

import pandas as pd

from jouleproof.drawing.cells import MISSING, fixed
from jouleproof.drawing.select import where

TITLE = "Energy and power of one service"
SOURCES = ["phase_split/service_energy"]
WAYS = {"together": "whole prompts first", "chunked": "prompts in chunks", "split": "split"}
CASE = ["stored_as", "taken", "which", "way"]
PARTS = ["prompt_j", "token_j", "idle_j", "host_j"]


def tabulate(service_energy: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(_row(rows) for _, rows in service_energy.groupby(CASE, sort=False))


def _row(rows: pd.DataFrame) -> dict[str, str]:
    form, taken, which, way = rows[CASE].iloc[0]
    lowest, highest = rows["level"].min(), rows["level"].max()
    full, least = (where(rows, level=level).groupby("metric")["value"].mean() for level in (highest, lowest))
    gone = f"{100 * taken:.0f} %, {'shortest answers' if which == 'short' else 'any'}"
    in_rows = f"{full['row_alike_w']:,.0f}, {full['row_mixed_w']:,.0f}" if "row_alike_w" in full else MISSING
    parts = " + ".join(fixed(full[part], 0) for part in PARTS)
    return {
        "stored as": form,
        "taken away": gone if taken else "none",
        "served": WAYS.get(way, way),
        "machines": f"{full['prompt_machines']:.0f}" + (f" + {full['token_machines']:.0f}" if way == "split" else ""),
        "J: prompts + decoding + idle + hosts": f"{full[PARTS].sum():,.0f} = {parts}",
        f"J at load {lowest:g}": f"{least[PARTS].sum():,.0f}",
        "kW per request/s": fixed(full["provisioned"], 2),
        "W in rows of one pool, of both": in_rows,
        "holds": "yes" if full["meets"] else "no",
    }
