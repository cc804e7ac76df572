"""Made-up tables of the MX study that take minutes to hours to measure: small, with plausible numbers."""

from itertools import product

import numpy as np

from jouleproof.evidence.tables import tidy
from jouleproof.formats import FORMATS

SUBJECTS = ("activations", "weights", "both")
RULES = ("floor", "rceil")
SIZES_OF_TRAINING = ("parameters", "trained_tokens")
MODELS = {"SmolLM2-135M": ("Q4_1", 30), "all-MiniLM-L6-v2": ("no", 6)}  # rounded to, layers


def tables(formats, recipes):
    """Make the tables, by `<study>/<experiment>`. formats, recipes: the names that appear in them."""
    return {
        "mx/conformance": _conformance(formats),
        "mx/qsnr_on_weights": _qsnr_on_weights(formats),
        "mx/direct_cast_language": _language(formats),
        "mx/direct_cast_embedding": _embedding(formats),
        "mx/training": _training(formats, recipes),
        "mx/wire": _wire(formats),
        "mx/throughput": _throughput(formats),
        "mx/matvec": _matvec(formats),
        "mx/decode": _decode(formats),
    }


def grid(**levels):
    """Every combination of these levels, as a row of a table; the last varies fastest."""
    return [dict(zip(levels, case, strict=True)) for case in product(*levels.values())]


def _conformance(names):
    """Make a table in which no peer has a custom format, and the invariants cover every format."""
    counts = {("normal", "gfloat"): (0, 0), ("normal", "torchao"): (3, 0), ("Inf", "gfloat"): (64, 0)}
    peers, groups = ("gfloat", "torchao"), ("normal", "Inf")
    rows = []
    for case in grid(format=FORMATS, group=groups, scale=["floor"], property=["agreement"], peer=peers):
        mismatches, refused = counts.get((case["group"], case["peer"]), (0, 64))
        for metric, value in (("elements", 64), ("mismatches", mismatches), ("refused", refused)):
            rows.append({**case, "metric": metric, "value": float(value)})
    for case in grid(format=names, group=groups, scale=RULES, property=("idempotence", "order")):
        violations = 3 * (case["property"] == "order" and case["scale"] == "rceil")
        for metric, value in (("elements", 64), ("violations", violations)):
            rows.append({**case, "peer": "none", "metric": metric, "value": float(value)})
    return tidy(rows, unit="elements", tier="measured")


def _qsnr_on_weights(names):
    rng = np.random.default_rng(0)
    rows = []
    for model, (rounded, layers) in MODELS.items():
        cases = grid(tensor=("weight", "activation"), layer=range(layers), projection=("q", "k"), format=names)
        for case in cases:
            for scale in ("floor", "ceil"):
                value = 40.0 - 3 * names.index(case["format"]) + rng.normal()
                rows.append({"model": model, "rounded": rounded, **case, "scale": scale, "value": value})
    return tidy(rows, metric="qsnr", unit="dB", tier="measured")


def _casts(names):
    """List pairs of a cast's factors and the size of its error."""
    scales = {"mxfp8_e4m3": (*RULES, "floor_clip_only", "floor_round_only")}
    return [
        ({"format": name, "scale": scale, "subject": subject}, 0.002 * 3**place)
        for place, name in enumerate(names)
        for scale in scales.get(name, RULES)
        for subject in SUBJECTS
    ]


def _language(names, questions=8):
    rng = np.random.default_rng(1)
    model, (rounded, _) = next(iter(MODELS.items()))
    where = [{"question": number, "tokens": 20 + 7 * number} for number in range(questions)]
    uncast = {"format": "float32", "scale": "none", "subject": "none", "metric": "loss"}
    rows = [{**uncast, **question, "value": 3 + rng.normal() / 4} for question in where]
    for case, size in _casts(names):
        for question in where:
            added = size * rng.normal(1, 1)
            rows += [
                {**case, **question, "metric": metric, "value": value}
                for metric, value in (("loss", 3 + added), ("added_loss", added), ("kl", abs(added)))
            ]
            if case["subject"] == "activations" and case["scale"] in RULES:
                share = {"metric": "saturated_elements", "unit": "share", "value": 0.01 * (case["scale"] == "floor")}
                rows.append({**case, **question, **share})
    rows = [{"model": model, "rounded": rounded, "unit": "nats/token", **row} for row in rows]
    return tidy(rows, tier="measured")


def _embedding(names, questions=8):
    rng = np.random.default_rng(2)
    model, (rounded, _) = list(MODELS.items())[1]
    rows = []
    for cast, size in _casts(names):
        case = {"model": model, "rounded": rounded, **cast}
        for number in range(questions):
            cosine, same = 1 - min(size * rng.uniform(0.05, 0.2), 0.9), float(rng.random() > min(size, 0.9))
            where = {**case, "question": number, "tokens": 20 + number}
            rows.append({**where, "metric": "cosine", "unit": "1", "value": cosine})
            rows.append({**where, "metric": "same_neighbour", "unit": "share", "value": same})
    return tidy(rows, tier="measured")


def _training(names, recipes):
    """Make a table in which every recipe adds more loss than the one before."""
    rng = np.random.default_rng(5)
    rows = [{"recipe": "none", "step": 50, "metric": name, "unit": "1", "value": 5e5} for name in SIZES_OF_TRAINING]
    for seed in range(3):
        for place, recipe in enumerate(recipes):
            case, added = {"recipe": recipe, "seed": seed}, 0.01 * place * rng.uniform(0.8, 1.2)
            for step in range(10, 51, 10):
                rows.append({**case, "step": step, "metric": "train_loss", "value": 2 + 30 / step + added})
            rows.append({**case, "step": 50, "metric": "loss", "value": 2 + seed / 20 + added})
            if place:
                rows.append({**case, "step": 50, "metric": "added_loss", "value": added})
        end = {"recipe": "float32", "seed": seed, "step": 50, "metric": "cast_added_loss"}
        rows += [{**end, **cast, "value": size * rng.uniform(0.9, 1.1)} for cast, size in _casts(names)]
    uncast = {"format": "none", "scale": "none", "subject": "none", "unit": "nats/byte"}
    return tidy(({**uncast, **row} for row in rows), tier="measured")


def _wire(names, repeats=3):
    """Make a table in which bytes decrease from format to format, and errors increase."""
    rng = np.random.default_rng(3)
    rows = []
    for payload, megabytes in (("gradient", 26.5), ("kv_cache", 23.6)):
        for place, name in enumerate(("float32", "bfloat16", *names)):
            share, case = 1 / (1 + place), {"payload": payload, "format": name}
            exact = (
                ("sent_bytes", "B", 1e6 * megabytes * share),
                ("bytes_over_bfloat16", "ratio", 2 * share),
                ("relative_error", "1", 0.001 * place**2),
            )
            rows += [
                {**case, "link": "every", "metric": metric, "unit": unit, "value": value}
                for metric, unit, value in exact
            ]
            for link, rate in (("1 Gbit/s", 1.0), ("10 Gbit/s", 8.0), ("loopback", 12.0)):
                for repeat in range(repeats):
                    where = {**case, "link": link, "repeat": repeat}
                    wire_s = 8e-3 * megabytes * share / rate * rng.uniform(1, 1.1)
                    timings = (
                        ("time_s", "s", wire_s + 0.008 * (place > 0)),
                        ("cast_s", "s", 0.005 * (place > 0)),
                        ("uncast_s", "s", 0.003 * (place > 0)),
                        ("wire_rate", "Gbit/s", rate),
                        ("speedup_over_float32", "x", 1.0 + 0.7 * place * rng.uniform(0.9, 1.1) / rate**0.3),
                    )
                    if (payload, name, link) == ("gradient", "float32", "loopback"):
                        timings += (("torch_all_reduce_s", "s", 0.03),)
                    rows += [{**where, "metric": m, "unit": unit, "value": value} for m, unit, value in timings]
    return tidy(rows, tier="measured")


def _throughput(names):
    rng = np.random.default_rng(3)
    rows = []
    for threads, copy in ((1, 10.0), (2, 18.0)):
        cases = [("copy", "torch", "-", copy)]
        for name in names:
            for operation in ("fake_quantize", "quantize", "dequantize"):
                cases.append((operation, "jouleproof", name, 0.8 * copy))
            cases.append(("fake_quantize", "torchao", name, 0.4))
            cases.append(("fake_quantize", "gfloat", name, 0.1))
        for operation, library, name, rate in cases:
            case = {"operation": operation, "library": library, "format": name, "elements": 4096, "threads": threads}
            for out in ("given", "new"):
                for repeat in range(3):
                    where = {**case, "out": out, "repeat": repeat}
                    value = rate * rng.uniform(0.9, 1.1)
                    rows.append({**where, "metric": "throughput", "unit": "GB/s", "value": value})
                    if library == "jouleproof":
                        rows.append({**where, "metric": "of_copy", "unit": "1", "value": value / copy})
                        rows.append({**where, "metric": "over_torchao", "unit": "x", "value": value / 0.4})
    first = {"operation": "first calls", "library": "jouleproof", "format": names[0], "out": "new", "elements": 1024}
    for code in ("compiled", "from_disk"):
        rows.append({**first, "threads": 0, "metric": f"first_call_{code}", "unit": "s", "value": 2.0})
    return tidy(rows, tier="measured")


def _matvec(names):
    rng = np.random.default_rng(4)
    kinds = [("torch", "float32", 32), ("numpy", "float32", 32), ("torch", "bfloat16", 16), ("torch", "read", 32)]
    kinds += [("torch", "int8 per row", 8), ("torch", "int4 per 32", 4.5)]
    kinds += [("jouleproof", name, 8.25) for name in names]
    rows = []
    for count, columns in ((512, 512), (4096, 4096)):
        for library, name, bits in kinds:
            case = {"rows": count, "columns": columns, "library": library, "format": name, "activations": "float32"}
            size = count * columns * bits / 8
            rows.append({**case, "metric": "weight_bytes", "unit": "B", "value": size})
            rows.append({**case, "metric": "error_of_sums", "unit": "1", "value": 2e-7})
            for repeat in range(4):
                time = size / 2e10 * rng.uniform(0.9, 1.1)
                rows.append({**case, "repeat": repeat, "metric": "time", "unit": "s", "value": time})
                for metric in ("over_float32", "over_torch_mv"):
                    rows.append({**case, "repeat": repeat, "metric": metric, "unit": "x", "value": 32 / bits})
    cache = {"rows": 0, "columns": 0, "library": "-", "activations": "-", "metric": "cache", "unit": "B"}
    rows += [{**cache, "format": level, "value": float(size)} for level, size in (("L2", 2**19), ("L3", 2**25))]
    return tidy(rows, tier="measured")


def _decode(names):
    rows = []
    for place, name in enumerate(["float32", *names]):
        for repeat in range(4):
            case = {"format": name, "repeat": repeat}
            speed, read = 20 + 5 * place + repeat, 538e6 if place < 1 else 250e6 - 1e7 * place
            rows.append({**case, "metric": "tokens_per_s", "unit": "1/s", "value": speed})
            rows.append({**case, "metric": "over_float32", "unit": "x", "value": speed / 20})
            rows.append({**case, "metric": "bytes_per_token", "unit": "B", "value": read})
        if place > 0:
            for metric, value in (("max_difference", 4e-5), ("same_token", 1.0), ("near_ties", 0.0)):
                rows.append({"format": name, "metric": metric, "unit": "1", "value": value})
    return tidy(rows, model="SmolLM2-135M", tier="measured")
