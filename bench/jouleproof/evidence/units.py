"""Units of tables and claims: whether two measure the same, and the factor between them."""

PREFIXES = {"n": 1e-9, "µ": 1e-6, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
NAMES = {  # what a unit measures, and its size
    **dict.fromkeys(("x", "ratio"), ("quotient", 1.0)),
    **dict.fromkeys(("fraction", "share"), ("share", 1.0)),
    **dict.fromkeys(("%", "percent"), ("share", 0.01)),
    **dict.fromkeys(("1", "exponent", "R2"), ("number", 1.0)),
    "min": ("time", 60.0),
    "h": ("time", 3600.0),
    "d": ("time", 86_400.0),
    **{f"{prefix}s": ("time", size) for prefix, size in PREFIXES.items() if size <= 1.0},
    **{f"{prefix}W": ("power", size) for prefix, size in PREFIXES.items()},
    **{f"{prefix}J": ("energy", size) for prefix, size in PREFIXES.items()},
    **{f"{prefix}Wh": ("energy", 3600.0 * size) for prefix, size in PREFIXES.items()},
    **{f"{prefix}B": ("data", size) for prefix, size in PREFIXES.items() if size >= 1.0},
    **{name: ("data", 1024.0**power) for power, name in enumerate(("bytes", "KiB", "MiB", "GiB", "TiB"))},
}


def factor(given: str, wanted: str) -> float | None:
    """Return what a number in unit `given` is multiplied by to be in `wanted`; None if they do not measure the same.

    x and ratio are quotients, whose value for no effect is 1, and are not shares: 1.13 x is a fraction of 0.13 more. A
    unit that is not in NAMES measures only what a unit of the same name measures.
    """
    (first, size), (second, other) = _measure(given), _measure(wanted)
    return size / other if first == second else None


def is_rate_of_the_same(given: str, wanted: str) -> bool:
    """Whether two units measure one quantity, each per something else, as nats/byte and nats/token do."""
    (first, *per), (second, *other) = _measure(given)[0], _measure(wanted)[0]
    return first == second and bool(per) and bool(other)


def _measure(unit: str) -> tuple[list[str], float]:
    """Return what the parts of `a/b` measure, and the size of the unit."""
    parts = [NAMES.get(_name(part), (part, 1.0)) for part in unit.split("/")]
    size = parts[0][1]
    for _, divisor in parts[1:]:
        size /= divisor
    return [measured for measured, _ in parts], size


def _name(part: str) -> str:
    return "share" if part.startswith(("share of ", "fraction of ")) else part
