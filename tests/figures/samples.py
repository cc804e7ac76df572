"""Small tables in the schema for every figure: from the experiments themselves where these are fast, else made up."""

import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from jouleproof.drawing.style import RECIPE_LABELS, VERDICT_STYLES
from jouleproof.evidence.tables import tidy
from jouleproof.formats import FORMATS
from jouleproof.inputs import read_profile, read_trace
from jouleproof.inputs.stand_in import azure, splitwise
from jouleproof.serving.simulator.capacity import Bench
from jouleproof.serving.simulator.clusters import FAMILIES
from jouleproof.studies.mx.config import ErrorSourcesConfig, MxConfig, QsnrConfig
from jouleproof.studies.mx.experiments.error_sources import error_sources
from jouleproof.studies.mx.experiments.formats import formats
from jouleproof.studies.mx.experiments.peak_rates import peak_rates
from jouleproof.studies.mx.experiments.qsnr import qsnr
from jouleproof.studies.mx.experiments.silicon import silicon
from jouleproof.studies.phase_split.config import (
    ActiveConfig,
    BeyondConfig,
    CapacityConfig,
    DesignSpaceConfig,
    EngineConfig,
    LatencyConfig,
    LoadConfig,
    MovesConfig,
    PhaseSplitConfig,
    PowerTraceConfig,
    RooflineConfig,
    ServingConfig,
    SpeedConfig,
    TransferConfig,
    WeekConfig,
)
from jouleproof.studies.phase_split.experiments import headlines
from jouleproof.studies.phase_split.experiments.active import active
from jouleproof.studies.phase_split.experiments.beyond import beyond
from jouleproof.studies.phase_split.experiments.design_space import design_space
from jouleproof.studies.phase_split.experiments.latency import latency
from jouleproof.studies.phase_split.experiments.moves import moves
from jouleproof.studies.phase_split.experiments.phases import phases
from jouleproof.studies.phase_split.experiments.power_trace import power_trace
from jouleproof.studies.phase_split.experiments.profile import laws, profile_table
from jouleproof.studies.phase_split.experiments.robustness import robustness
from jouleproof.studies.phase_split.experiments.roofline import roofline
from jouleproof.studies.phase_split.experiments.serving import serving
from jouleproof.studies.phase_split.experiments.simulator_speed import simulator_speed
from jouleproof.studies.phase_split.experiments.traces import traces
from jouleproof.studies.phase_split.experiments.transfer import transfer
from jouleproof.studies.phase_split.experiments.week import week
from tests.extension_example import formats as own
from tests.figures.joint_samples import joint
from tests.figures.placement_samples import placement
from tests.figures.slm_energy_samples import slm_energy
from tests.models.small import random_decoder

OWN = "tests.extension_example.formats:FORMAT"
SUBJECTS = ("activations", "weights", "both")
RULES = ("floor", "rceil")
SIZES_OF_TRAINING = ("parameters", "trained_tokens")
MODELS = {"SmolLM2-135M": ("Q4_1", 30), "all-MiniLM-L6-v2": ("no", 6)}  # rounded to, layers


@cache
def tables(with_own_format):
    """By `<study>/<experiment>`. with_own_format: whether a format that is not built in is among them."""
    configured = [*FORMATS, *([OWN] if with_own_format else [])]
    names = [*FORMATS, *([own.FORMAT.name] if with_own_format else [])]
    config = MxConfig(formats=configured, qsnr=QsnrConfig(vectors=20, length=64, seeds=[0, 1, 2]))
    return {
        "mx/formats": formats(config),
        "mx/qsnr": qsnr(config),
        "mx/error_sources": error_sources(
            config.model_copy(update={"error_sources": ErrorSourcesConfig(vectors=20, length=64, seeds=[0, 1, 2])})
        ),
        "mx/conformance": _conformance(names),
        "mx/qsnr_on_weights": _qsnr_on_weights(names),
        "mx/direct_cast_language": _language(names),
        "mx/direct_cast_embedding": _embedding(names),
        "mx/training": _training(names, with_own_format),
        "mx/wire": _wire(names),
        "mx/silicon": silicon(config),
        "mx/peak_rates": peak_rates(),
        "mx/throughput": _throughput(names),
        "mx/matvec": _matvec(names),
        "mx/decode": _decode(names),
        **_phase_split(with_own_format),
        **placement(with_own_format),
        **slm_energy(with_own_format),
        **joint(),
    }


@cache
def _phase_split(with_own_design):
    """Of the experiments themselves, on a few seconds of stand-in requests."""
    config = PhaseSplitConfig(
        designs=[*FAMILIES, *(["tests.extension_example.cluster:DESIGN"] if with_own_design else [])],
        load=LoadConfig(seconds=10.0, warm_up=2.0, drain=1.0, hour_s=15.0),
        capacity=CapacityConfig(seeds=[1, 2], precision=0.5, search_precision=0.5, pool_step=0.3),
        latency=LatencyConfig(rates=[20.0, 60.0], seeds=[1]),
        design_space=DesignSpaceConfig(prompt_machines=[26, 27], token_machines=[2, 3], seeds=[1]),
        transfer=TransferConfig(gbit_per_s=[400.0, 1600.0], seeds=[1, 2]),
        speed=SpeedConfig(seconds=10.0, repeats=2),
        power_trace=PowerTraceConfig(hours=0.05, rate=20.0),
        active=ActiveConfig(rates=[70.0], seconds=10.0),
        beyond=BeyondConfig(accelerators=["dgx-h100", "dgx-b200"], formats=["mxfp4"], seeds=[1, 2], precision=0.5),
        week=WeekConfig(rate=2.0, hours=2, batch=1000),
    )
    with tempfile.TemporaryDirectory() as folder:
        files = {"conv": azure.conv_trace(0), "code": azure.code_trace(0), "profile": splitwise.profile(0)}
        paths = {name: Path(folder) / f"{name}.csv" for name in files}
        for name, content in files.items():
            paths[name].write_bytes(content)
        bench = Bench({name: read_trace(paths[name]) for name in ("conv", "code")}, config.load)
        runs = read_profile(paths["profile"])
    if with_own_design:  # the others have none
        own = {"capacity": headlines.capacity(config, bench), "latency": latency(config, bench)}
        return {**_phase_split(False), **{f"phase_split/{name}": table for name, table in own.items()}}
    return {
        "phase_split/profile": profile_table(runs),
        "phase_split/laws": laws(runs),
        "phase_split/traces": traces(bench.traces),
        "phase_split/phases": phases(bench.traces),
        "phase_split/capacity": headlines.capacity(config, bench),
        "phase_split/headlines": headlines.headlines(config, bench),
        "phase_split/corrections": headlines.corrections(config, bench),
        "phase_split/latency": latency(config, bench),
        "phase_split/robustness": robustness(config, bench),
        "phase_split/design_space": design_space(config, bench),
        "phase_split/transfer": transfer(config, bench),
        "phase_split/simulator_speed": simulator_speed(config, bench),
        "phase_split/power_trace": power_trace(config, bench),
        "phase_split/active": active(config, bench),
        "phase_split/beyond": beyond(config, bench),
        "phase_split/week": week(config, bench),
        **_engine(bench.traces["conv"]),
    }


def _engine(trace):
    """Of the engine itself, on a model of random weights."""
    config = PhaseSplitConfig(
        engine=EngineConfig(layers=2, slots=8, capacity=96, boxes=2),
        serving=ServingConfig(
            scale=32.0, batch_tokens=64, chunk_tokens=16, loads=[0.3, 0.6], requests=20, warm_up=2, repeats=2, tries=1,
            checked=2,
        ),
        moves=MovesConfig(prompts=[16], forms=["float32", "mxfp8_e4m3"], repeats=2),
        roofline=RooflineConfig(layers=2, prompts=[16, 64], decodes=[1, 4], context=16, repeats=2),
    )  # fmt: skip
    decoder, words = random_decoder(), list(range(50))
    return {
        "phase_split/serving": serving(config, trace, words, decoder),
        "phase_split/moves": moves(config, decoder, words),
        "phase_split/roofline": roofline(config, decoder),
    }


def _conformance(names):
    """No peer has a format of a user's own; the invariants are of every format."""
    counts = {("normal", "gfloat"): (0, 0), ("normal", "torchao"): (3, 0), ("Inf", "gfloat"): (64, 0)}
    rows = [
        {
            "format": name,
            "group": group,
            "scale": "floor",
            "property": "agreement",
            "peer": peer,
            "metric": metric,
            "value": float(value),
        }
        for name in FORMATS
        for group in ("normal", "Inf")
        for peer in ("gfloat", "torchao")
        for mismatches, refused in [counts.get((group, peer), (0, 64))]
        for metric, value in (("elements", 64), ("mismatches", mismatches), ("refused", refused))
    ]
    rows += [
        {
            "format": name,
            "group": group,
            "scale": scale,
            "property": invariant,
            "peer": "none",
            "metric": metric,
            "value": float(value),
        }
        for name in names
        for group in ("normal", "Inf")
        for scale in RULES
        for invariant in ("idempotence", "order")
        for metric, value in (("elements", 64), ("violations", 3 * (invariant == "order" and scale == "rceil")))
    ]
    return tidy(rows, unit="elements", tier="measured")


def _qsnr_on_weights(names):
    rng = np.random.default_rng(0)
    rows = [
        {
            "model": model,
            "rounded": rounded,
            "tensor": tensor,
            "layer": layer,
            "projection": projection,
            "format": name,
            "scale": scale,
            "value": 40.0 - 3 * place + rng.normal(),
        }
        for model, (rounded, layers) in MODELS.items()
        for tensor in ("weight", "activation")
        for layer in range(layers)
        for projection in ("q", "k")
        for place, name in enumerate(names)
        for scale in ("floor", "ceil")
    ]
    return tidy(rows, metric="qsnr", unit="dB", tier="measured")


def _casts(names):
    """(what was cast how, size of its error)."""
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
    for about, size in _casts(names):
        for question in where:
            added = size * rng.normal(1, 1)
            rows += [
                {**about, **question, "metric": metric, "value": value}
                for metric, value in (("loss", 3 + added), ("added_loss", added), ("kl", abs(added)))
            ]
            if about["subject"] == "activations" and about["scale"] in RULES:
                share = {"metric": "saturated_elements", "unit": "share", "value": 0.01 * (about["scale"] == "floor")}
                rows.append({**about, **question, **share})
    rows = [{"model": model, "rounded": rounded, "unit": "nats/token", **row} for row in rows]
    return tidy(rows, tier="measured")


def _embedding(names, questions=8):
    rng = np.random.default_rng(2)
    model, (rounded, _) = list(MODELS.items())[1]
    rows = []
    for cast, size in _casts(names):
        about = {"model": model, "rounded": rounded, **cast}
        for number in range(questions):
            cosine, same = 1 - min(size * rng.uniform(0.05, 0.2), 0.9), float(rng.random() > min(size, 0.9))
            where = {**about, "question": number, "tokens": 20 + number}
            rows.append({**where, "metric": "cosine", "unit": "1", "value": cosine})
            rows.append({**where, "metric": "same_neighbour", "unit": "share", "value": same})
    return tidy(rows, tier="measured")


def _training(names, with_own_recipe):
    """Every recipe adds more than the one before; a user's own has the name of the format that it trains in."""
    rng = np.random.default_rng(5)
    recipes = [*RECIPE_LABELS, *([own.FORMAT.name] if with_own_recipe else [])]
    rows = [{"recipe": "none", "step": 50, "metric": name, "unit": "1", "value": 5e5} for name in SIZES_OF_TRAINING]
    for seed in range(3):
        for place, recipe in enumerate(recipes):
            about, added = {"recipe": recipe, "seed": seed}, 0.01 * place * rng.uniform(0.8, 1.2)
            for step in range(10, 51, 10):
                rows.append({**about, "step": step, "metric": "train_loss", "value": 2 + 30 / step + added})
            rows.append({**about, "step": 50, "metric": "loss", "value": 2 + seed / 20 + added})
            if place:
                rows.append({**about, "step": 50, "metric": "added_loss", "value": added})
        end = {"recipe": "float32", "seed": seed, "step": 50, "metric": "cast_added_loss"}
        rows += [{**end, **cast, "value": size * rng.uniform(0.9, 1.1)} for cast, size in _casts(names)]
    uncast = {"format": "none", "scale": "none", "subject": "none", "unit": "nats/token"}
    return tidy(({**uncast, **row} for row in rows), tier="measured")


def _wire(names, repeats=3):
    """Bytes fall from format to format, and errors grow."""
    rng = np.random.default_rng(3)
    rows = []
    for payload, megabytes in (("gradient", 26.5), ("kv_cache", 23.6)):
        for place, name in enumerate(("float32", "bfloat16", *names)):
            share, about = 1 / (1 + place), {"payload": payload, "format": name}
            exact = (
                ("sent_bytes", "B", 1e6 * megabytes * share),
                ("bytes_over_bfloat16", "ratio", 2 * share),
                ("relative_error", "1", 0.001 * place**2),
            )
            rows += [
                {**about, "link": "every", "metric": metric, "unit": unit, "value": value}
                for metric, unit, value in exact
            ]
            for link, rate in (("1 Gbit/s", 1.0), ("10 Gbit/s", 8.0), ("loopback", 12.0)):
                for repeat in range(repeats):
                    where = {**about, "link": link, "repeat": repeat}
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
            about = {"rows": count, "columns": columns, "library": library, "format": name, "activations": "float32"}
            size = count * columns * bits / 8
            rows.append({**about, "metric": "weight_bytes", "unit": "B", "value": size})
            rows.append({**about, "metric": "error_of_sums", "unit": "1", "value": 2e-7})
            for repeat in range(4):
                time = size / 2e10 * rng.uniform(0.9, 1.1)
                rows.append({**about, "repeat": repeat, "metric": "time", "unit": "s", "value": time})
                for metric in ("over_float32", "over_torch_mv"):
                    rows.append({**about, "repeat": repeat, "metric": metric, "unit": "x", "value": 32 / bits})
    cache = {"rows": 0, "columns": 0, "library": "-", "activations": "-", "metric": "cache", "unit": "B"}
    rows += [{**cache, "format": level, "value": float(size)} for level, size in (("L2", 2**19), ("L3", 2**25))]
    return tidy(rows, tier="measured")


def _decode(names):
    rows = []
    for place, name in enumerate(["float32", *names]):
        for repeat in range(4):
            about = {"format": name, "repeat": repeat}
            speed, read = 20 + 5 * place + repeat, 538e6 if place < 1 else 250e6 - 1e7 * place
            rows.append({**about, "metric": "tokens_per_s", "unit": "1/s", "value": speed})
            rows.append({**about, "metric": "over_float32", "unit": "x", "value": speed / 20})
            rows.append({**about, "metric": "bytes_per_token", "unit": "B", "value": read})
        if place > 0:
            for metric, value in (("max_difference", 4e-5), ("same_token", 1.0), ("near_ties", 0.0)):
                rows.append({"format": name, "metric": metric, "unit": "1", "value": value})
    return tidy(rows, model="SmolLM2-135M", tier="measured")


def verdict_rows(claims):
    """An object of verdicts.json per claim and version, with every verdict and every tier in turn."""
    places = [(claim, version) for claim in claims for version in claim.versions]
    return [
        {
            "id": claim.id,
            "area": claim.area,
            "version": version,
            "says": claim.says,
            "source": claim.source,
            "published": claim.published,
            "accept": [None if np.isinf(bound) else bound for bound in claim.accept],
            "unit": claim.unit,
            "verdict": list(VERDICT_STYLES)[number % len(VERDICT_STYLES)],
            "tier": ("measured", "simulated", "cited")[number % 3],
            "reason": "Because.",
            "estimate": 1.0 if number % 2 else None,
            "low": 0.5 if number % 2 else None,
            "high": 1.5 if number % 2 else None,
            "inputs": {},
            "flags": ["one model"] if number % 2 else [],
            "reading": "mixed" if list(VERDICT_STYLES)[number % len(VERDICT_STYLES)] == "cited" else None,
            "figure": None,
        }
        for number, (claim, version) in enumerate(places)
    ]
