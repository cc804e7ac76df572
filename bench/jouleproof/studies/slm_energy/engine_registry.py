"""Engines that run the same weights: each reads a prompt and writes a number of tokens, alone on one core."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from jouleproof.libraries import NotInstalled, part_of
from jouleproof.models.continuation import greedy
from jouleproof.models.decoder import Decoder
from jouleproof.models.runner import Runner

Run = Callable[[Sequence[int], int], object]


@dataclass(frozen=True)
class Subject:
    """The model that engines run.

    file: its weights as GGUF, for engines that read the file. capacity: tokens of the longest text.
    """

    decoder: Decoder
    file: Path
    capacity: int


@dataclass(frozen=True)
class Engine:
    """An inference engine.

    weights: number format of the weights in its products. start: returns a function that takes a prompt and the number
    of tokens to write; raises NotInstalled.
    """

    name: str
    weights: str
    start: Callable[[Subject], Run]


def _runner(subject: Subject, dtype: torch.dtype = torch.float32, plain: bool = False) -> Run:
    return partial(greedy, Runner(subject.decoder, 1, subject.capacity, dtype=dtype, plain=plain))


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
    xllamacpp = part_of("xllamacpp", "xllamacpp", extra="engines")
    plan = xllamacpp.CommonParams()
    plan.model.path = str(subject.file)
    plan.n_ctx, plan.n_parallel, plan.warmup = subject.capacity, 1, False
    plan.cpuparams.n_threads = plan.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(plan)

    def run(prompt: Sequence[int], count: int) -> None:
        request = {
            "prompt": list(prompt),
            "max_tokens": count,
            "temperature": 0,
            "cache_prompt": False,
            "ignore_eos": True,
        }
        server.handle_completions(request)

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
        Engine("runner", "float32", _runner),
        Engine("runner_bfloat16", "bfloat16", partial(_runner, dtype=torch.bfloat16)),
        Engine("eager", "float32", partial(_runner, plain=True)),
        Engine("transformers", "float32", _transformers),
        Engine("ctranslate2", "int8", _ctranslate2),
        Engine("llama_cpp", "Q4_1", _llama_cpp),
    )
}
