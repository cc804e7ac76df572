"""Programs that run the same weights: each reads a prompt and writes so many tokens, alone on one core."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from jouleproof.models.decoder import Decoder
from jouleproof.models.generation import Decoding, greedy
from jouleproof.models.runner import Piece, Runner

Run = Callable[[Sequence[int], int], None]


class NotInstalled(Exception):
    """The package that an engine needs is not here."""


@dataclass(frozen=True)
class Subject:
    """What engines run. file: the weights as GGUF, which some read themselves. room: tokens of the longest text."""

    decoder: Decoder
    file: Path
    room: int


@dataclass(frozen=True)
class Engine:
    """weights: the numbers that it multiplies with. start: makes a function of a prompt and a count of tokens to write;
    raises NotInstalled."""

    name: str
    weights: str
    start: Callable[[Subject], Run]


def _runner(dtype: torch.dtype) -> Callable[[Subject], Run]:
    def start(subject: Subject) -> Run:
        runner = Runner(subject.decoder, 1, subject.room, dtype=dtype)

        def run(prompt: Sequence[int], count: int) -> None:
            fed, read = list(prompt), 0
            for _ in range(count):
                logits = runner.run([Piece(0, read, fed)])
                read, fed = read + len(fed), [int(logits[0].argmax())]

        return run

    return start


def _eager(subject: Subject) -> Run:
    def run(prompt: Sequence[int], count: int) -> None:
        greedy(Decoding(subject.decoder, subject.room), prompt, count)

    return run


def _transformers(subject: Subject) -> Run:
    from jouleproof.models.hugging import as_llama

    network = as_llama(subject.decoder)

    @torch.inference_mode()
    def run(prompt: Sequence[int], count: int) -> None:
        fed, cache = list(prompt), None
        for _ in range(count):
            out = network(torch.tensor([fed]), past_key_values=cache, use_cache=True, logits_to_keep=1)
            cache, fed = out.past_key_values, [int(out.logits[0, -1].argmax())]

    return run


def _llama_cpp(subject: Subject) -> Run:
    try:
        import xllamacpp
    except ImportError as error:
        raise NotInstalled("xllamacpp") from error
    plan = xllamacpp.CommonParams()
    plan.model.path = str(subject.file)
    plan.n_ctx, plan.n_parallel, plan.warmup = subject.room, 1, False
    plan.cpuparams.n_threads = plan.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(plan)

    def run(prompt: Sequence[int], count: int) -> None:
        asked = {"prompt": list(prompt), "max_tokens": count, "temperature": 0, "cache_prompt": False,
                 "ignore_eos": True}  # fmt: skip
        server.handle_completions(asked)

    return run


def _ctranslate2(subject: Subject) -> Run:
    from jouleproof.models.ctranslate import in_ctranslate2

    try:
        generator = in_ctranslate2(subject.decoder, "int8")
    except ImportError as error:
        raise NotInstalled("ctranslate2") from error

    def run(prompt: Sequence[int], count: int) -> None:
        words = [str(token) for token in prompt]
        generator.generate_batch([words], max_length=count, end_token=[], include_prompt_in_result=False)

    return run


ENGINES: Mapping[str, Engine] = {
    engine.name: engine
    for engine in (
        Engine("runner", "float32", _runner(torch.float32)),
        Engine("runner_bfloat16", "bfloat16", _runner(torch.bfloat16)),
        Engine("eager", "float32", _eager),
        Engine("transformers", "float32", _transformers),
        Engine("ctranslate2", "int8", _ctranslate2),
        Engine("llama_cpp", "Q4_1", _llama_cpp),
    )
}
