"""The paper, from the verdicts, the figures and the tables; and the report, with all of them in one page."""


rule paper:
    input:
        "paper/paper.typ",
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


rule html_report:
    input:
        "results/paper.pdf",
        "results/verdicts.json",
        FIGURE_FILES,
        captions=[str(path) for path in sorted(Path("workflows/report").glob("*.rst"))],
        config="results/config/run.json",
    output:
        "results/report.html",
    shell:
        "{PYTHON:q} -m snakemake --nolock --configfile {input.config}"
        " --report {output} -- results/paper.pdf {FIGURE_FILES}"
