"""Figures and tables of text, drawn into files."""

import os

# matplotlib cannot be imported where the user's setting names a backend that this version lacks. A notebook's backend,
# `module://…`, is kept.
if not os.environ.get("MPLBACKEND", "").startswith("module://"):
    os.environ["MPLBACKEND"] = "agg"
