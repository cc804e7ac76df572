"""The project's metadata: the same name, version, licence and so on in every file."""

import json
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
CODEMETA = json.loads((ROOT / "codemeta.json").read_text(encoding="utf-8"))


def test_the_package_the_citation_and_codemeta_agree() -> None:
    assert CITATION["version"] == CODEMETA["version"] == PROJECT["version"]
    assert CITATION["license"] == PROJECT["license"] == CODEMETA["license"].removeprefix("https://spdx.org/licenses/")
    assert CODEMETA["identifier"] == PROJECT["name"] == CITATION["title"].partition(":")[0].lower()


def test_codemeta_says_what_the_citation_and_the_package_say() -> None:
    assert CODEMETA["name"] == CITATION["title"]
    assert CODEMETA["keywords"] == CITATION["keywords"]
    assert CODEMETA["datePublished"] == CITATION["date-released"].isoformat()
    assert [author["name"] for author in CODEMETA["author"]] == [author["name"] for author in CITATION["authors"]]
    assert CODEMETA["description"] == PROJECT["description"]
    assert CODEMETA["runtimePlatform"] == f"Python {PROJECT['requires-python']}"


def test_the_licence_text_is_the_licence_that_is_named() -> None:
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith(f"{PROJECT['license']} License")


def test_the_changelog_has_an_entry_for_the_version() -> None:
    assert f"\n## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
