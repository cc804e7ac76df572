"""One service (the Azure conversation hour, corrected rules, H100) by stored format, by share of its requests that
somebody else answers, and by way of serving: machines (prompt + token), joules of a request that is left at the most
load that they bear, by where they go, and at the lowest load that was tried; kW of nameplates for each request/s; W of
a machine that a row of ten needs, with rows of one pool and with rows of both; whether the whole hour holds all
service levels."""

import pandas as pd

TITLE = "What one service takes, whole and in part"
SOURCES = ["phase_split/service_energy"]
WAYS = {"together": "whole prompts first", "chunked": "prompts in chunks", "split": "split"}
PARTS = ("prompt_j", "token_j", "idle_j", "host_j")


def tabulate(service_energy: pd.DataFrame) -> pd.DataFrame:
    cases = service_energy.groupby(["stored_as", "taken", "which", "way"], sort=False)
    return pd.DataFrame([_row([str(part) for part in case], rows) for case, rows in cases])


def _row(case: list[str], rows: pd.DataFrame) -> dict[str, str]:
    form, taken, which, way = case
    full = rows[rows["level"] == rows["level"].max()].groupby("metric")["value"].mean()
    least = rows[rows["level"] == rows["level"].min()].groupby("metric")["value"].mean()
    gone = f"{100 * float(taken):.0f} %, {'shortest answers' if which == 'short' else 'any'}"
    parts = " + ".join(f"{full[part]:.0f}" for part in PARTS)
    return {
        "stored as": form,
        "taken away": gone if float(taken) else "none",
        "served": WAYS.get(way, way),
        "machines": f"{full['prompt_machines']:.0f}" + (f" + {full['token_machines']:.0f}" if way == "split" else ""),
        "J: prompts + decoding + idle + hosts": f"{full[list(PARTS)].sum():,.0f} = {parts}",
        f"J at load {rows['level'].min():g}": f"{least[list(PARTS)].sum():,.0f}",
        "kW per request/s": f"{full['provisioned']:.2f}",
        "W in rows of one pool, of both": f"{full['row_alike_w']:,.0f}, {full['row_mixed_w']:,.0f}"
        if "row_alike_w" in full
        else "–",
        "holds": "yes" if full["meets"] else "no",
    }
