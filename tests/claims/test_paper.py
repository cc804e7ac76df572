"""The paper's note on a table names the stand-ins of that table alone."""

import json

import typst

from paper.build import build
from tests.pictures import FIGURES


def test_each_table_of_the_paper_has_the_stand_ins_of_its_own_tables(tmp_path, monkeypatch):
    for source in {source for figure in FIGURES.values() for source in figure.sources}:
        path = tmp_path / f"{source}.provenance.json"
        path.parent.mkdir(exist_ok=True)
        origin = "stand-in" if source == "mx/training" else "download"
        path.write_text(json.dumps({"inputs": {"gsm8k_test": {"origin": origin}}}), encoding="utf-8")
    given = {}

    def compile(source, *, sys_inputs, **_):
        given.update({name: json.loads(text) for name, text in sys_inputs.items() if name == "stand_ins"})
        return b"a page"

    monkeypatch.setattr(typst, "compile", compile)
    build(tmp_path / "paper.pdf", study=[])
    expected = {name: ["gsm8k_test"] if "mx/training" in figure.sources else [] for name, figure in FIGURES.items()}
    assert given["stand_ins"] == expected and 0 < sum(map(len, expected.values())) < len(expected)
