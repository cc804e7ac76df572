"""README, CONTRIBUTING, docs and the studies' READMEs: every command would start, and everything that they name
exists."""

import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from jouleproof.errors import UserError
from jouleproof.evidence.ledger import Claim
from jouleproof.formats import FORMATS, SCALE_RULES
from jouleproof.studies.slm_energy import language_models
from jouleproof.study import find_study
from tests.docs.checks import WrongError, check, start
from tests.docs.names import check_name
from tests.docs.pages import NAMES, PAGES, ROOT, blocks, commands, in_sentences, links

MOST_WORDS = 10_000
EXAMPLES = ("mine", "spin")  # modules that the pages create
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in zip(NAMES, PAGES, strict=True)}
STUDIES = [name for name in NAMES if name.startswith("bench/")]


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """Make a working folder that looks like the checkout; the modules that a page creates there are unloaded
    afterwards."""
    start(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    for check_files in ("check_folder", "check_gguf"):  # a page names models that its reader has
        monkeypatch.setattr(language_models, check_files, lambda path: None)
    before = {name: sys.modules.pop(name) for name in _example_modules()}
    yield tmp_path
    for name in _example_modules():
        del sys.modules[name]
    sys.modules.update(before)


def _example_modules():
    return [name for name in sys.modules if name.partition(".")[0] in EXAMPLES]


def complaints(text, folder):
    """List what is wrong with the commands of a page, in their order."""
    wrong = []
    for block in blocks(text):
        for command in commands(block.text) if block.language == "shell" else []:
            try:
                check(command, folder)
            except (WrongError, UserError) as error:
                wrong.append(f"{command.text}: {error}")
    return wrong


@pytest.mark.parametrize("name", NAMES)
def test_every_command_of_a_page_would_start(name, checkout):
    assert complaints(TEXTS[name], checkout) == []


@pytest.mark.parametrize("name", NAMES)
def test_everything_that_a_sentence_names_is_there(name, checkout):
    wrong = []
    for code in in_sentences(TEXTS[name]):
        try:
            check_name(code, ROOT / name, checkout)
        except (WrongError, UserError) as error:
            wrong.append(f"{code}: {error}")
    assert wrong == []


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_to_a_file(name):
    page = ROOT / name
    assert [target for target in links(TEXTS[name]) if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("name", [name for name in NAMES if any(b.language == "python" for b in blocks(TEXTS[name]))])
def test_the_python_of_a_page_runs_from_top_to_bottom(name, checkout):
    names = {"Config": BaseModel}  # a study's file that the page tells the reader to write
    for block in blocks(TEXTS[name]):
        if block.language == "python":
            exec(compile(block.text, name, "exec"), names)


@pytest.mark.parametrize("name", STUDIES)
def test_a_studys_page_names_all_its_experiments_and_no_others(name):
    study = find_study((ROOT / name).parent.name)
    assert {code for code in in_sentences(TEXTS[name]) if "/" not in code and "." not in code} == set(study.experiments)


def test_the_page_on_verdicts_explains_every_key_of_a_row():
    lines = TEXTS["docs/verdicts.md"].partition("## The ledger")[2].splitlines()
    rows = [line.split("|")[1] for line in lines if line.startswith("| `")]
    assert {key.strip("` ") for row in rows for key in row.split(",")} == set(Claim.model_fields)


def test_the_page_on_formats_names_every_format_and_scale_rule():
    assert {*FORMATS, *SCALE_RULES} <= set(in_sentences(TEXTS["docs/formats.md"]))


def test_the_readme_is_a_page_that_one_reads():
    assert len(TEXTS["README.md"].splitlines()) <= 150
    assert len(TEXTS["README.md"].encode()) <= 12_000


def test_the_pages_together_are_short():
    assert sum(len(text.split()) for text in TEXTS.values()) <= MOST_WORDS


def test_a_page_of_commands_is_read_line_by_line():
    page = (
        "A.\n\n    jouleproof list   # all\n    jouleproof knobs \\\n      mx\n\n```sh\nmake\n```\n\n    import this\n"
    )
    languages = [block.language for block in blocks(page)]
    words = [command.words for block in blocks(page) if block.language == "shell" for command in commands(block.text)]
    assert languages == ["shell", "shell", "python"]
    assert words == [["make"], ["jouleproof", "list"], ["jouleproof", "knobs", "mx"]]


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("jouleprof list", "jouleprof is not a program that a page may name"),
        ("jouleproof lst", "jouleproof has no command lst"),
        ("jouleproof claims judge --result x", "No such option: --result"),
        ("jouleproof run mx qsnr", "Missing option '--out'"),
        ("jouleproof run mx nothing --out x.parquet", "mx has no experiment nothing"),
        ("jouleproof run moon qsnr --out x.parquet", "unknown study 'moon'"),
        ("jouleproof run mx qsnr --config '{\"format\": []}' --out x.parquet", "mx.format: no such knob"),
        ("jouleproof draw mx/nothing", "unknown figure mx/nothing"),
        ("jouleproof inputs resolve moon --out moon.json", "unknown input moon"),
        ("jouleproof claims judge --ledger paper/claims.toml", "paper/claims.toml does not exist"),
        ("python -m bench.mx qsnr --out x.parquet", "python -m bench.mx: no such module"),
        ("python -m tests.faults nothing", "tests.faults has no command nothing"),
        ("python workflows/cost.py", "workflows/cost.py does not exist"),
        ("make tests", "the Makefile has no tests"),
        ("pytest tests/nothing", "tests/nothing does not exist"),
        ("pytest tests/mx -m quik", "no test is marked quik"),
        ("pytest tests/mx/test_noise.py -k moon", "no test of tests/mx/test_noise.py is called moon"),
        ("pip install -e '.[nothing]'", "pyproject.toml has no extra nothing"),
        ("cp tests/extension_example/nothing.py mine.py", "nothing.py"),
        ("cp README.md docs/mine.md", "docs/mine.md would be written into the checkout"),
        ("snakemake moon", "snakemake has no target moon"),
        ("snakemake results/figures/mx/nothing.png", "snakemake has no target results/figures/mx/nothing.png"),
        ("snakemake --configfile workflows/config/mini.yaml", "workflows/config/mini.yaml does not exist"),
        ("snakemake --configfile workflows/config/tiny.yaml mx", "mx does not exist"),  # parsed as a second config
        ("snakemake --profile profiles/moon", "profiles/moon/config.yaml does not exist"),
        ("snakemake --no-such-option", "unrecognized arguments: --no-such-option"),
        ("snakemake mx --config mx='{format: [mxfp4]}'", "mx.format: no such knob"),
        ("snakemake mx --config mx='{formats: [\"mine:FORMAT\"]}'", "cannot be loaded"),
        ("snakemake --config own_studies='{spin: {}}'", "own_studies has been renamed studies"),
    ],
)
def test_a_wrong_command_is_found(command, complaint, checkout):
    (wrong,) = complaints(f"Text.\n\n    {command}\n", checkout)
    assert complaint in wrong


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("workflows/extending.md", "there is no workflows/extending.md"),
        ("config.toml", "there is no file config.toml"),
        ("results/verdict.json", "no rule makes results/verdict.json"),
        ("mx/nothing", "mx/nothing is neither an experiment nor a figure"),
        ("formats:NOTHING", "tests.extension_example.formats has no NOTHING"),
        ("jouleproof.formats.MXFormats", "jouleproof.formats has no MXFormats"),
        ("jouleproof.nothing.MXFormat", "there is no module jouleproof.nothing"),
        ("mx.nothing", "mx.nothing is neither a key of the config nor a claim"),
        ("--nothing", "no command has the option --nothing"),
        ("--config mx='{nothing: 1}'", "mx.nothing: no such knob"),
        ("make nothing", "the Makefile has no nothing"),
    ],
)
def test_a_wrong_name_is_found(code, complaint, checkout):
    with pytest.raises((WrongError, UserError), match=complaint.replace("(", r"\(")):
        check_name(code, Path(ROOT / "README.md"), checkout)
