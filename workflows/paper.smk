"""The paper, from the verdicts, the figures and the tables."""


rule paper:
    input:
        "paper/paper.typ",
        "paper/references.bib",
        "paper/build.py",
        "results/verdicts.json",
        expand("results/figures/{name}.svg", name=[*FIGURES, "overview"]),
        expand("results/tables/{name}.csv", name=TABLES),
    output:
        report(
            "results/paper.pdf",
            caption="report/paper.rst",
            category="4 Paper",
            labels={"what": "The paper"},
        ),
    shell:
        "{PYTHON:q} paper/build.py --out {output}"
