"""The paper, from the verdicts, the figures and the tables; the artifact appendix; and the report, all in one page."""

PAPER = HOME / "paper"


rule config:
    output:
        f"{RESULTS}/config.json",
        f"{RESULTS}/run.json",
    log:
        f"{RESULTS}/log/config.log",
    params:
        knobs=json.dumps(
            {
                name: json.loads(knobs.model_dump_json())
                for name, knobs in settings.configs.items()
            }
        ),
        run=json.dumps(config, sort_keys=True),
    shell:
        "{{ printf '%s\\n' {params.knobs:q} > {output[0]}"
        " && printf '%s\\n' {params.run:q} > {output[1]}; }} 2> {log}"


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
    params:
        added=ADDED,
    shell:
        "{PYTHON:q} {input.code:q} --out {output} {params.added} 2>&1 | tee {log}"


rule appendix:
    input:
        [str(PAPER / name) for name in ("appendix.typ", "numbers.typ")],
        f"{HOME}/pyproject.toml",
        VERDICTS,
        RESULT_FILES,
        EXPERIMENT_FILES,
        ledgers=settings.ledgers,
        build=str(PAPER / "build.py"),
        facts=str(PAPER / "appendix.py"),
        code=sources("jouleproof.evidence.cost", "jouleproof.evidence.ledger"),
    output:
        f"{RESULTS}/appendix.json",
        report(
            f"{RESULTS}/appendix.pdf",
            caption="report/appendix.rst",
            category="4 Paper",
            labels={"what": "The artifact appendix"},
        ),
    log:
        f"{RESULTS}/log/appendix.log",
    params:
        added=ADDED,
        source=str(PAPER / "appendix.typ"),
        ledgers=[f"--ledger={path}" for path in settings.ledgers],
    shell:
        "{{ {PYTHON:q} {input.facts:q} {params.ledgers} {params.added} --results {RESULTS} --out {output[0]}"
        " && {PYTHON:q} {input.build:q} --source {params.source:q} --out {output[1]}; }} 2>&1 | tee {log}"


rule html_report:
    input:
        f"{RESULTS}/paper.pdf",
        f"{RESULTS}/appendix.pdf",
        VERDICTS,
        FIGURE_FILES,
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
        "{PYTHON:q} -m snakemake --nolock --snakefile {params.snakefile:q} --configfile {input.config}"
        " --report {output} -- {RESULTS}/paper.pdf {RESULTS}/appendix.pdf {FIGURE_FILES} 2>&1 | tee {log}"
