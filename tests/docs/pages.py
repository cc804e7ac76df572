"""Parse the pages that a reader sees: blocks of code, the commands in them, and the code within sentences."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(ROOT.glob("docs/*.md")),
    *sorted(ROOT.glob("bench/jouleproof/studies/*/README.md")),
]
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^\n|\A)((?:^(?: {4}.*)?\n)*^ {4}.*\n)", re.MULTILINE)
IN_SENTENCE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
HERE_DOCUMENT = re.compile(r"<<'(\w+)'")


@dataclass(frozen=True)
class Block:
    """A block of code. language: `shell`, `python`, or that of a fence; an indented block is Python if it begins with
    an import."""

    language: str
    text: str


@dataclass(frozen=True)
class Command:
    """A command. text: unchanged, over all of its lines. words: without comments."""

    text: str
    words: list[str]


def blocks(page: str) -> list[Block]:
    """List the blocks in the order of the page, fenced ones first."""
    fenced = [_block(language, text) for language, text in FENCE.findall(page)]
    rest = FENCE.sub(".\n", page)
    indented = [re.sub(r"^ {4}", "", text, flags=re.MULTILINE) for text in INDENTED.findall(rest)]
    return [*fenced, *(_block("", text) for block in indented for text in _split(block))]


def _split(block: str) -> list[str]:
    """Split Python from commands that only an empty line separates."""
    parts = re.split(r"\n\n(?=snakemake |jouleproof )", block)
    return [part.strip("\n") + "\n" for part in parts]


def _block(language: str, text: str) -> Block:
    if language in ("", "sh", "bash"):
        language = "python" if re.match(r"(from|import) ", text) else "shell"
    return Block(language, text)


def commands(text: str) -> Iterator[Command]:
    """List the commands of a shell block. Raises ValueError if a quotation or a here-document does not end."""
    lines = text.splitlines()
    while lines:
        line = lines.pop(0)
        if not line.strip() or line.startswith("#"):
            continue
        while (words := _words(line)) is None:
            if not lines:
                raise ValueError(f"no end of {line.splitlines()[0]}")
            line += "\n" + lines.pop(0)
        if here := HERE_DOCUMENT.search(line):
            end = lines.index(here[1])
            line, lines = "\n".join([line, *lines[: end + 1]]), lines[end + 1 :]
        yield Command(line, words)


def _words(line: str) -> list[str] | None:
    """Split the command into words; None if it continues on the next line."""
    if line.endswith("\\"):
        return None
    try:
        return shlex.split(line.replace("\\\n", " "), comments=True)
    except ValueError:
        return None


def in_sentences(page: str) -> list[str]:
    """List the code between backticks, outside of blocks and comments, without repetition."""
    prose = INDENTED.sub("\n", FENCE.sub(".\n", re.sub(r"<!--.*?-->", "", page, flags=re.DOTALL)))
    return list(dict.fromkeys(" ".join(code.split()) for code in IN_SENTENCE.findall(prose)))


def links(page: str) -> list[str]:
    return [target for target in LINK.findall(FENCE.sub("", page)) if not target.startswith("http")]
