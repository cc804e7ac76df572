"""Figures and tables, drawn in one job if they read the same results; the verdicts; and a notebook per study."""

for group in by_sources(pictures, CHEAP).values():

    rule:
        name:
            draw_rule(group)
        input:
            result_files(
                dict.fromkeys(source for one in group for source in one.sources)
            ),
            code=later(drawing_code, group),
        output:
            [path for one in group for path in files_of(one)],
        log:
            f"{RESULTS}/log/figures/{group[0].name}.log",
        group:
            "pages"
        resources:
            runtime=15,
            mem_mb=2000,
        params:
            results=results_folder,
            names=[one.name for one in group],
            figures=figures_folder,
            added=ADDED,
        shell:
            "jouleproof draw {params.names} --results {params.results} --figures {params.figures:q} {params.added}"
            " 2>&1 | tee {log}"


for study in settings.studies:

    rule:
        name:
            study.name
        input:
            of_study(study),


rule verdicts:
    input:
        list(dict.fromkeys([*RESULT_FILES, *EXPERIMENT_FILES])),
        ledgers=settings.ledgers,
        code=later(sources, "jouleproof.cli.claims:judge"),
    output:
        VERDICTS,
        f"{RESULTS}/verdicts.size.txt",
    log:
        f"{RESULTS}/log/verdicts.log",
    group:
        "paper"
    params:
        results=results_folder,
        size=label(settings, HOME / "workflows/config"),
        note=settings.note,
        ledgers=[f"--ledger={path}" for path in settings.ledgers],
        figures=figures_folder,
    shell:
        "jouleproof claims judge {params.ledgers} --results {params.results} --figures {params.figures:q}"
        " --size {params.size} --note={params.note:q} 2>&1 | tee {log}"


rule verdict_pages:
    input:
        VERDICTS,
        code=later(
            sources,
            "jouleproof.drawing.overview:make",
            "jouleproof.drawing.verdicts:make",
        ),
    output:
        f"{RESULTS}/figures/overview.pdf",
        f"{RESULTS}/figures/overview.svg",
        f"{RESULTS}/figures/overview.rst",
        report(
            f"{RESULTS}/figures/overview.png",
            caption=str(Path.cwd() / f"{RESULTS}/figures/overview.rst"),
            category="1 Verdicts",
            labels={"what": "The verdicts at a glance"},
        ),
        f"{RESULTS}/tables/verdicts.csv",
        f"{RESULTS}/tables/verdicts.tex",
        f"{RESULTS}/tables/verdicts.rst",
        report(
            f"{RESULTS}/tables/verdicts.html",
            caption=str(Path.cwd() / f"{RESULTS}/tables/verdicts.rst"),
            category="1 Verdicts",
            labels={"what": "The verdicts, claim by claim"},
        ),
    log:
        f"{RESULTS}/log/verdict_pages.log",
    group:
        "paper"
    params:
        results=results_folder,
        added=ADDED,
    shell:
        "jouleproof claims pages --results {params.results} {params.added} 2>&1 | tee {log}"


READ_BY_NOTEBOOKS = {
    "mx": ("mx/qsnr",),
    "phase_split": ("phase_split/headlines", "phase_split/capacity"),
    "placement": ("placement/hosting",),
    "slm_energy": tuple(
        f"slm_energy/{name}"
        for name in ("ladder", "ladder_equal_flops", "ladder_cost", "ladder_energy")
    ),
    "joint": (
        "joint/levers",
        "phase_split/service_energy",
        "placement/hosting",
        "slm_energy/answers",
        "slm_energy/cards",
    ),
}


rule notebook:
    input:
        lambda wildcards: [
            TABLE.format(table) for table in READ_BY_NOTEBOOKS[wildcards.study]
        ],
        config=f"{RESULTS}/config.json",
        source=f"{HOME}/workflows/notebooks/{{study}}.py",
        code=f"{HOME}/workflows/notebooks/run.py",
    output:
        f"{RESULTS}/notebooks/{{study}}.ipynb",
    log:
        f"{RESULTS}/log/notebooks/{{study}}.log",
    wildcard_constraints:
        study="|".join(READ_BY_NOTEBOOKS),
    params:
        results=results_folder,
    shell:
        "python {input.code:q} {input.source:q} --results {params.results} --out {output} 2>&1 | tee {log}"


rule notebooks:
    input:
        expand(f"{RESULTS}/notebooks/{{study}}.ipynb", study=READ_BY_NOTEBOOKS),
