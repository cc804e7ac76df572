"""`jouleproof serving`: one simulation, or one run of the engine, from files."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from jouleproof.cli.commands import Commands
from jouleproof.errors import UserError, one_line_errors

app = Commands(no_args_is_help=True, pretty_exceptions_enable=False)
# Whole prompts first on every worker, prompts in chunks alongside decodes, or separate workers for each phase
Mode = Literal["mixed", "chunked", "split"]
# Caches move through memory that the workers share, or over sockets
Transport = Literal["memory", "gloo"]
Renamed = typer.Option(hidden=True)


@app.command()
def simulate(
    designs: Annotated[Path, typer.Option(help="Designs (JSON), as in tests/phase_split/reference/clusters.json.")],
    design: Annotated[str, typer.Option(help="Name of the design to simulate.")],
    trace: Annotated[Path, typer.Option(help="Requests (CSV or parquet), as in tests/phase_split/reference.")],
    out: Annotated[Path, typer.Option(help="File to write, one row per request (parquet).")],
    compat: Annotated[
        bool, typer.Option("--compat", help="Follow the published simulator, its mistakes included.")
    ] = False,
    power: Annotated[
        Path | None, typer.Option(help="File to write, the power of every machine over time (parquet).")
    ] = None,
    power_step: Annotated[float, typer.Option(min=0.001, help="Seconds between two samples of the power.")] = 2.0,
) -> None:
    """Simulate one cluster on one trace of requests and print its latencies."""
    with one_line_errors():
        from jouleproof.serving.simulator.from_files import simulate_files

        print(simulate_files(designs, design, trace, compat, out, power, power_step))


@app.command()
def serve(
    mode: Annotated[Mode, typer.Option(help="How the workers share the two phases.")],
    out: Annotated[Path, typer.Option(help="File to write, one row per request (parquet).")],
    config: Annotated[Path | None, typer.Option(help="Knobs of `engine` and `serving` (JSON).")] = None,
    input: Annotated[list[Path], typer.Option(help="Records of inputs (JSON); any others are looked up.")] = [],  # noqa: B006
    load: Annotated[
        float, typer.Option(min=0.01, help="Request rate, as a share of the prompt workers' capacity.")
    ] = 0.5,
    transport: Annotated[Transport, typer.Option(help="How caches move if the phases are split.")] = "memory",
    by_layer: Annotated[bool, typer.Option("--by-layer", help="Send each layer as soon as it is computed.")] = False,
    cache_format: Annotated[
        str, typer.Option(help="Format in which caches move: float32, bfloat16 or a block format.")
    ] = "float32",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the requests.")] = 0,
    way: Annotated[str | None, Renamed] = None,
    form: Annotated[str | None, Renamed] = None,
) -> None:
    """Serve requests for real on this machine and print their latencies."""
    with one_line_errors():
        for old, value, new in (("--way", way, "--transport"), ("--form", form, "--cache-format")):
            if value is not None:
                raise UserError(f"serve: {old} is now {new}")
        from jouleproof import inputs
        from jouleproof.formats.codecs import codec
        from jouleproof.serving.config import read_engine_config
        from jouleproof.serving.engine.serve import run
        from jouleproof.serving.engine.transport import Move

        try:
            codec(cache_format)
        except ValueError as error:
            raise UserError(f"serve: --cache-format: {error}") from error
        engine, serving = read_engine_config(config)
        records = {record.id: record for record in map(inputs.load, input)}
        print(run(engine, serving, records, mode, load, Move(transport, by_layer, cache_format), seed, out))
