"""The paper, from the verdicts, the figures and the tables; the artifact appendix; and the report, all in one page."""


rule paper:
    input:
        "paper/paper.typ",
        "paper/numbers.typ",
        "paper/references.bib",
        "paper/build.py",
        "results/verdicts.json",
        "results/config/mx.json",
        expand("results/figures/{name}.svg", name=[*FIGURES, "overview"]),
        expand("results/tables/{name}.csv", name=TABLES),
    output:
        report(
            "results/paper.pdf",
            caption="report/paper.rst",
            category="4 Paper",
            labels={"what": "The paper"},
        ),
    params:
        own=[f"--own={package}" for package in settings.own_studies],
    shell:
        "{PYTHON:q} paper/build.py --out {output} {params.own}"


rule appendix:
    input:
        "paper/appendix.typ",
        "paper/numbers.typ",
        "paper/build.py",
        "pyproject.toml",
        "results/verdicts.json",
        RESULT_FILES,
        OWN_RESULT_FILES,
        ledgers=[LEDGER, *OWN_LEDGERS],
        code=[
            "workflows/appendix.py",
            "workflows/cost.py",
            *sources("jouleproof.evidence.ledger", "jouleproof.inputs", "jouleproof.drawing.registry"),
        ],
    output:
        "results/appendix.json",
        report(
            "results/appendix.pdf",
            caption="report/appendix.rst",
            category="4 Paper",
            labels={"what": "The artifact appendix"},
        ),
    params:
        own=[f"--own={package}" for package in settings.own_studies],
        ledgers=[f"--ledger={path}" for path in [LEDGER, *OWN_LEDGERS]],
    shell:
        "{PYTHON:q} -m workflows.appendix {params.ledgers} {params.own} --out {output[0]}"
        " && {PYTHON:q} paper/build.py --source paper/appendix.typ --out {output[1]}"


rule html_report:
    input:
        "results/paper.pdf",
        "results/appendix.pdf",
        "results/verdicts.json",
        FIGURE_FILES,
        captions=[str(path) for path in sorted(Path("workflows/report").glob("*.rst"))],
        config="results/config/run.json",
    output:
        "results/report.html",
    shell:
        "{PYTHON:q} -m snakemake --nolock --configfile {input.config}"
        " --report {output} -- results/paper.pdf results/appendix.pdf {FIGURE_FILES}"
