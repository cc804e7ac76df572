"""A table and a figure have the same bytes whatever the user has set for the libraries that make them."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KNOBS = '{"formats": ["mxfp4"], "qsnr": {"vectors": 20, "seeds": [0]}}'
SETTINGS = {
    "MPLBACKEND": "gtk2agg",  # which matplotlib no longer has
    "MATPLOTLIBRC": str(ROOT / "tests/figures/hostile.matplotlibrc"),
    "NUMBA_DISABLE_JIT": "1",
    "PANDAS_FUTURE_INFER_STRING": "0",
    "PYTHONHASHSEED": "7",
    "SOURCE_DATE_EPOCH": "1000000000",
    "TZ": "Asia/Tokyo",
    "COLUMNS": "20",
}


def made(folder, **settings):
    """Make a table and a figure in a folder; return the bytes of their files, except for the provenance."""
    folder.mkdir()
    table, figures = ["run", "mx", "qsnr", "--config", KNOBS, "--out", "results/mx/qsnr.parquet"], str(ROOT / "figures")
    for arguments in (table, ["draw", "mx/qsnr", "--figures", figures]):
        command = [sys.executable, "-m", "jouleproof", *arguments]
        done = subprocess.run(command, cwd=folder, env=os.environ | settings, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    files = sorted(path for path in folder.rglob("*.*") if path.is_file() and "provenance" not in path.name)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_what_the_user_has_set_changes_no_byte(tmp_path):
    (tmp_path / "matplotlib").mkdir()
    (tmp_path / "matplotlib/matplotlibrc").write_text("text.usetex: True\nfont.size: 30\n")
    settings = {**SETTINGS, "MPLCONFIGDIR": str(tmp_path / "matplotlib")}
    plain, others = made(tmp_path / "plain"), made(tmp_path / "others", **settings)
    assert others.keys() == plain.keys() and len(plain) == 5
    assert [name for name in plain if plain[name] != others[name]] == []
