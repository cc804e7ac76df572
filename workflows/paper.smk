"""The paper, from the verdicts, the figures and the tables; the artifact appendix; and the report, a single page."""

PAPER = HOME / "paper"


rule config:
    output:
        knobs=f"{RESULTS}/config.json",
        run=f"{RESULTS}/run.json",
    log:
        f"{RESULTS}/log/config.log",
    group:
        "paper"
    params:
        knobs=json.dumps(
            {
                name: json.loads(knobs.model_dump_json())
                for name, knobs in settings.configs.items()
            }
        ),
        run=json.dumps(config, sort_keys=True),
    shell:
        "{{ printf '%s\\n' {params.knobs:q} > {output.knobs}"
        " && printf '%s\\n' {params.run:q} > {output.run}; }} 2> {log}"


rule paper:
    input:
        [str(PAPER / name) for name in ("paper.typ", "numbers.typ", "references.bib")],
        VERDICTS,
        f"{RESULTS}/config.json",
        expand(f"{RESULTS}/figures/{{name}}.svg", name=[*FIGURES, "overview"]),
        expand(f"{RESULTS}/tables/{{name}}.csv", name=TABLES),
        code=str(PAPER / "build.py"),
    output:
        report(
            f"{RESULTS}/paper.pdf",
            caption="report/paper.rst",
            category="4 Paper",
            labels={"what": "The paper"},
        ),
    log:
        f"{RESULTS}/log/paper.log",
    group:
        "paper"
    params:
        added=ADDED,
    shell:
        "python {input.code:q} --out {output} {params.added} 2>&1 | tee {log}"


rule appendix:
    input:
        str(PAPER / "numbers.typ"),
        f"{HOME}/pyproject.toml",
        VERDICTS,
        RESULT_FILES,
        EXPERIMENT_FILES,
        ledgers=settings.ledgers,
        source=str(PAPER / "appendix.typ"),
        build=str(PAPER / "build.py"),
        facts=str(PAPER / "appendix.py"),
        code=later(sources, "jouleproof.evidence.cost", "jouleproof.evidence.ledger"),
    output:
        facts=f"{RESULTS}/appendix.json",
        pdf=report(
            f"{RESULTS}/appendix.pdf",
            caption="report/appendix.rst",
            category="4 Paper",
            labels={"what": "The artifact appendix"},
        ),
    log:
        f"{RESULTS}/log/appendix.log",
    group:
        "paper"
    params:
        results=results_folder,
        added=ADDED,
        ledgers=[f"--ledger={path}" for path in settings.ledgers],
    shell:
        "{{ python {input.facts:q} {params.ledgers} {params.added} --results {params.results} --out {output.facts}"
        " && python {input.build:q} --source {input.source:q} --out {output.pdf} {params.added}; }} 2>&1 | tee {log}"


rule html_report:
    input:
        VERDICTS,
        pages=[f"{RESULTS}/paper.pdf", f"{RESULTS}/appendix.pdf"],
        figures=FIGURE_FILES,
        captions=[
            str(path) for path in sorted((HOME / "workflows/report").glob("*.rst"))
        ],
        config=f"{RESULTS}/run.json",
    output:
        f"{RESULTS}/report.html",
    log:
        f"{RESULTS}/log/report.log",
    params:
        snakefile=f"{HOME}/Snakefile",
    shell:
        "python -m snakemake --nolock --snakefile {params.snakefile:q} --configfile {input.config}"
        " --report {output} -- {input.pages} {input.figures} 2>&1 | tee {log}"
