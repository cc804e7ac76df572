"""`python -m jouleproof` is the command `jouleproof`."""

from jouleproof.cli import app

app(prog_name="jouleproof")
