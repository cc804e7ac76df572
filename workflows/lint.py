"""`snakemake --lint`, clean but for what CONTRIBUTING.md gives a reason for: `python workflows/lint.py`."""

import subprocess
import sys
from pathlib import Path

EXPECTED = "Specify a conda environment or container for each rule."
ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Print every other lint; the exit status is 1 where there is one, or where nothing was linted."""
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--lint"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    place, linted, wrong = "", 0, []
    for line in (done.stdout + done.stderr).splitlines():
        if line.startswith("Lints for "):
            place, linted = line.removeprefix("Lints for ").rstrip(":"), linted + 1
        elif line.startswith("    * ") and not line.startswith(f"    * {EXPECTED}"):
            wrong.append(f"{place}: {line.strip('* :')}")
    if not linted:
        print(done.stdout + done.stderr, file=sys.stderr)
        return 1
    print("\n".join(wrong) or f"snakemake --lint: {linted} rules; nothing but what CONTRIBUTING.md gives a reason for")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
