"""`jouleproof serving`: one case in the simulator, or one run of the engine, from files."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from jouleproof.errors import UserError, one_line_errors

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
# Whole prompts first on every worker, prompts in chunks beside decodes, or workers for each phase
Mode = Literal["mixed", "chunked", "split"]
# Caches move through memory that workers share, or over sockets
Transport = Literal["memory", "gloo"]


@app.command()
def simulate(
    designs: Annotated[Path, typer.Option(help="Designs (JSON), as in tests/phase_split/reference/clusters.json.")],
    design: Annotated[str, typer.Option(help="The name of one of them.")],
    trace: Annotated[Path, typer.Option(help="Requests (CSV), as in tests/phase_split/reference.")],
    out: Annotated[Path, typer.Option(help="Where a row per request goes (parquet).")],
    compat: Annotated[bool, typer.Option("--compat", help="As the published simulator, mistakes included.")] = False,
    power: Annotated[Path | None, typer.Option(help="Where power by machine and 2 s goes (parquet).")] = None,
) -> None:
    """Simulate one cluster on one trace of requests and print its latencies."""
    with one_line_errors():
        from jouleproof.serving.simulator.from_files import simulate_files

        print(simulate_files(designs, design, trace, compat, out, power))


@app.command()
def serve(
    mode: Annotated[Mode, typer.Option(help="How workers share the two phases.")],
    out: Annotated[Path, typer.Option(help="Where a row per request goes (parquet).")],
    config: Annotated[Path | None, typer.Option(help="Knobs of `engine` and `serving` (JSON).")] = None,
    input: Annotated[list[Path], typer.Option(help="Records of inputs (JSON); others are looked for.")] = [],  # noqa: B006
    load: Annotated[float, typer.Option(min=0.01, help="Share of what the prompt workers can take.")] = 0.5,
    way: Annotated[Transport, typer.Option(help="How caches move, where the phases are split.")] = "memory",
    by_layer: Annotated[bool, typer.Option("--by-layer", help="Each layer as soon as it is there.")] = False,
    form: Annotated[str, typer.Option(help="What caches move as: float32, bfloat16 or a block format.")] = "float32",
    seed: Annotated[int, typer.Option(min=0, help="Of the requests.")] = 0,
) -> None:
    """Serve requests for real on this machine and print their latencies."""
    with one_line_errors():
        from jouleproof import inputs
        from jouleproof.formats.codecs import codec
        from jouleproof.serving.config import read_engine_config
        from jouleproof.serving.engine.serve import run
        from jouleproof.serving.engine.transport import Move

        try:
            codec(form)
        except ValueError as error:
            raise UserError(f"serve: --form: {error}") from error
        engine, serving = read_engine_config(config)
        records = {record.id: record for record in map(inputs.load, input)}
        print(run(engine, serving, records, mode, load, Move(way, by_layer, form), seed, out))
