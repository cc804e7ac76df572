"""A name in the config resolves to a built-in or a custom object, or to one line that says why it does not."""

import sys
from pathlib import Path

import pytest

from jouleproof.errors import UserError
from jouleproof.plugins import blamed, load, source_file

BUILTINS = {"one": 1, "two": 2}


@pytest.fixture
def working_folder(tmp_path, monkeypatch):
    """Change to an empty working folder, whose modules are unloaded afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    loaded = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - loaded:
        del sys.modules[name]


def message_of(name):
    with pytest.raises(UserError) as caught:
        load("thing", name, BUILTINS)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_built_in_name_is_its_object():
    assert load("thing", "two", BUILTINS) == 2


def test_an_object_of_the_users_own_is_found_in_the_working_folder(working_folder):
    (working_folder / "own_thing.py").write_text("THING = 'mine'\n")
    assert load("thing", "own_thing:THING", BUILTINS) == "mine"


def test_an_object_inside_a_package_of_the_users_own_is_found(working_folder):
    (working_folder / "own_package").mkdir()
    (working_folder / "own_package" / "inner.py").write_text("THING = 'inside'\n")
    assert load("thing", "own_package.inner:THING", BUILTINS) == "inside"


def test_a_name_that_is_not_known_is_answered_with_the_built_in_ones():
    assert message_of("three") == (
        "config: thing 'three' is not known; built in: one, two; or give a custom one as package.module:object"
    )


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nowhere_at_all:THING", "nowhere_at_all"),
        ("json:NOTHING", "NOTHING"),
        ("json:", "has no attribute ''"),
        (":THING", "Empty module name"),
        ("json.nowhere:THING", "json.nowhere"),
    ],
)
def test_a_name_that_cannot_be_loaded_is_one_line_with_the_reason(name, reason):
    message = message_of(name)
    assert message.startswith(f"config: thing {name!r} cannot be loaded: ") and reason in message


def test_a_name_that_a_module_lacks_is_answered_with_what_it_has(working_folder):
    code = "import json\nfrom pathlib import Path\nE2M2, E3M3, _HIDDEN = 1, 2, 3\ndef rule(): ...\n"
    (working_folder / "own_formats.py").write_text(code)
    assert message_of("own_formats:E3M2").endswith("has no attribute 'E3M2'; it has E3M3, E2M2, rule")


@pytest.mark.parametrize("module", ["own/formats.py", "./own/formats", "own/formats"])
def test_a_module_that_is_written_as_a_file_is_answered_with_dots(working_folder, module):
    assert message_of(f"{module}:E2M2").endswith("; a module is written with dots: own.formats:E2M2")


def test_an_error_while_a_module_is_imported_has_its_line_and_what_the_object_has(working_folder):
    code = "class Machine:\n    price = 1\n\nCOST = Machine().cost\n"
    (working_folder / "own_machine.py").write_text(code)
    assert message_of("own_machine:COST").endswith("no attribute 'cost' (own_machine.py, line 4); it has price")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import nowhere_at_all", "No module named 'nowhere_at_all'"),
        ("THING = (", "SyntaxError: '(' was never closed"),
        ("THING = 1 / 0", "ZeroDivisionError: division by zero"),
        ("raise ValueError('first\\nsecond')", "ValueError: first second"),
    ],
)
def test_a_module_of_the_users_own_that_breaks_is_one_line_with_the_reason(working_folder, code, reason):
    (working_folder / "own_broken.py").write_text(code + "\n")
    assert reason in message_of("own_broken:THING")


def test_the_file_of_an_object_of_the_users_own_is_found_without_running_it(working_folder):
    (working_folder / "own_loud.py").write_text("raise RuntimeError('it was run')\n")
    assert source_file("own_loud:THING").samefile(working_folder / "own_loud.py")


@pytest.mark.parametrize("name", ["one", "nowhere_at_all:THING", "sys:path", ":THING", "json.nowhere:THING"])
def test_what_has_no_file_has_no_source(name):
    assert source_file(name) is None


def test_an_installed_modules_file_is_its_source():
    assert source_file("json:dumps").parts[-2:] == Path("json/__init__.py").parts


def notes_of(error, config):
    with pytest.raises(type(error)) as caught, blamed("mx", config):
        raise error
    return getattr(caught.value, "__notes__", [])


def failing(name):
    """Return the exception that a user's function raises, with its stack trace."""
    try:
        load("thing", name, BUILTINS)()
    except Exception as error:
        return error
    raise AssertionError


def test_an_error_in_code_of_the_users_own_is_traced_to_the_name_in_the_config(working_folder):
    (working_folder / "own_rule.py").write_text("def rule():\n    raise ValueError('not\\ntoday')\n")
    (working_folder / "own_other.py").write_text("def rule():\n    return 1\n")
    config = {"seeds": [1], "scales": ["floor", "own_rule:rule"], "of": {"own_other:rule": 2, "own_rule:rule": None}}
    note = "'own_rule:rule' failed: ValueError: not today"
    error = failing("own_rule:rule")
    assert notes_of(error, config) == [f"config: mx.scales: {note}", f"config: mx.of: {note}"]


def test_an_error_of_our_own_blames_no_name_in_the_config(working_folder):
    (working_folder / "own_rule.py").write_text("def rule():\n    return 1\n")
    assert notes_of(ValueError("ours"), {"scales": ["own_rule:rule"], "models": ["folder:nowhere"]}) == []
    assert notes_of(UserError("one line"), {"scales": ["own_rule:rule"]}) == []
