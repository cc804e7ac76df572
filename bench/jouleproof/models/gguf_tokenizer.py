"""Tokenizers of GGUF files: what their metadata says of texts is applied or refused."""

from typing import Any

from tokenizers import Regex, pre_tokenizers

from jouleproof.errors import UserError
from jouleproof.libraries import part_of
from jouleproof.models.gguf_header import GgufHeader

PREFIX = "tokenizer.ggml."
BYTE_PAIRS, SENTENCE_PIECES = "gpt2", "llama"  # as GGUF names the two kinds of tokenizer
WORDS = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"
SPLITS = {  # patterns at which a text is cut, one after the other, before its byte pairs are merged
    "default": (r"[\p{P}\$\+<=>\^~\|]+", WORDS, r"\p{N}+", "[0-9][0-9][0-9]"),
    "gpt-2": (WORDS,),
    "smollm": (r"\p{N}", WORDS),
    "starcoder": (r"\p{N}", WORDS),
}
SAME_AS = {"stablelm2": "qwen2"}
OPENED_BY_DEFAULT = (
    "llama3",
    "llama-v3",
    "llama-bpe",
    "falcon3",
    "falcon-h1",
    "pixtral",
    "midm-2.0",
    "lfm2",
    "jina-v5-nano",
)
WHOLE_WORDS_FIRST = (*OPENED_BY_DEFAULT, "tekken")  # a word of the vocabulary is a token even if no merges make it
APPLIED = ("model", "pre", "tokens", "scores", "token_type", "merges", "add_bos_token", "add_space_prefix")
WITHOUT_EFFECT = ("add_eos_token", "token_type_count")  # texts are continued, so nothing is put after them
FIRST_PIECE = 1  # begin-of-text token of sentence pieces if the file names none
MARKS = ("bos", "eos", "eot", "eom")
NEUTRAL = {"remove_extra_whitespaces": False, "add_sep_token": False}


def check_tokenizer(header: GgufHeader) -> None:
    """Raise UserError if the file says anything of texts that would not be applied."""
    fields = {key.removeprefix(PREFIX): value for key, value in header.fields.items() if key.startswith(PREFIX)}
    kind, split = fields.get("model"), fields.get("pre", "default")
    if kind not in (BYTE_PAIRS, SENTENCE_PIECES):
        raise _refused(header, "model", kind, f"known: {BYTE_PAIRS}, {SENTENCE_PIECES}")
    splits = sorted({*SPLITS, *SAME_AS, *_splits_of_transformers()}) if kind == BYTE_PAIRS else ["default"]
    if split not in splits:
        raise _refused(header, "pre", split, f"known: {', '.join(splits)}")
    if kind == BYTE_PAIRS and fields.get("add_space_prefix"):
        raise _refused(header, "add_space_prefix", True, "the loader does not apply it to byte pairs")
    for key, value in fields.items():
        harmless = key in (*APPLIED, *WITHOUT_EFFECT) or key.endswith("_token_id") or value == NEUTRAL.get(key, ())
        if not harmless:
            raise _refused(header, key, value, "the loader does not apply it")
    needed = ("tokens", "scores" if kind == SENTENCE_PIECES and "merges" not in fields else "merges")
    for key in needed:
        if not isinstance(fields.get(key), list):
            raise _refused(header, key, fields.get(key), "expected a list")
    for key in (f"{name}_token_id" for name in MARKS):
        if key in fields and fields[key] not in range(len(fields["tokens"])):
            raise _refused(header, key, fields[key], f"the file has {len(fields['tokens'])} tokens")
    if opens(header) and kind == BYTE_PAIRS and "bos_token_id" not in fields:
        raise _refused(header, "bos_token_id", None, "every text begins with this token")


def opens(header: GgufHeader) -> bool:
    """Return whether the begin-of-text token stands before every text."""
    fields = header.fields
    by_default = (
        fields[f"{PREFIX}model"] == SENTENCE_PIECES or fields.get(f"{PREFIX}pre", "default") in OPENED_BY_DEFAULT
    )
    return bool(fields.get(f"{PREFIX}add_bos_token", by_default))


def opening(header: GgufHeader) -> tuple[int, ...]:
    """Return the tokens before every text."""
    return (int(header.fields.get(f"{PREFIX}bos_token_id", FIRST_PIECE)),) if opens(header) else ()


def as_the_file_says(header: GgufHeader, tokenizer: Any) -> None:
    """Let a tokenizer split texts as the file says. Raises UserError if it differs from the file in another way."""
    fields, backend = header.fields, tokenizer.backend_tokenizer
    split = fields.get(f"{PREFIX}pre", "default")
    if fields[f"{PREFIX}model"] == BYTE_PAIRS:
        patterns = SPLITS.get(split) or (_splits_of_transformers()[SAME_AS.get(split, split)],)
        backend.pre_tokenizer = pre_tokenizers.Sequence(
            [
                *(pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in patterns),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        backend.model.ignore_merges = split in WHOLE_WORDS_FIRST
    else:
        _check_space_prefix(header, backend)
    for name in ("bos", "eos"):
        number, read = fields.get(f"{PREFIX}{name}_token_id"), getattr(tokenizer, f"{name}_token_id")
        if number is not None and number != read:
            raise _refused(header, f"{name}_token_id", number, f"its token is read as {read}")


def _check_space_prefix(header: GgufHeader, backend: Any) -> None:
    text = backend.normalizer.normalize_str("a") if backend.normalizer else "a"
    pieces = backend.pre_tokenizer.pre_tokenize_str(text) if backend.pre_tokenizer else [(text, (0, 1))]
    said, done = header.fields.get(f"{PREFIX}add_space_prefix", True), pieces[0][0].startswith("▁")
    if said != done:
        raise _refused(header, "add_space_prefix", said, f"the loader can only apply {done} to this architecture")


def _splits_of_transformers() -> dict[str, str]:
    name = "transformers.integrations.gguf.gguf_tokenizer_mapping:GGUF_PRE_TOKENIZER_SPLITS"
    return dict(part_of("transformers", name, extra="llm"))


def _refused(header: GgufHeader, key: str, value: Any, why: str) -> UserError:
    return UserError(f"models: {header.path}: {PREFIX}{key} is {value!r:.60}; {why}")
