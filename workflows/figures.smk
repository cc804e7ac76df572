"""Figures and tables: those that read the same results in one job; the verdicts; and a notebook per study."""

KIND_SUFFIXES = {"figure": ("pdf", "svg", "png"), "table": ("csv", "tex", "html")}
SHOWN = {"figure": "png", "table": "html"}  # in the report
CATEGORY = {"figure": "2 Figures", "table": "3 Tables"}
FIGURES = [name for name, picture in pictures.items() if picture.kind == "figure"]
TABLES = [name for name, picture in pictures.items() if picture.kind == "table"]
VERDICTS = f"{RESULTS}/verdicts.json"


def files_of(picture):
    """Its files, and its caption; the report shows one of them."""
    stem = f"{RESULTS}/{picture.kind}s/{picture.name}"
    in_report = report(
        f"{stem}.{SHOWN[picture.kind]}",
        caption=str(Path.cwd() / f"{stem}.rst"),
        category=CATEGORY[picture.kind],
        subcategory=picture.study,
        labels={"what": picture.title},
    )
    others = [
        suffix
        for suffix in KIND_SUFFIXES[picture.kind]
        if suffix != SHOWN[picture.kind]
    ]
    return [in_report, f"{stem}.rst", *(f"{stem}.{suffix}" for suffix in others)]


def drawing_code(picture):
    """Files that a picture's own file is made of."""
    return sources(
        str(picture.path), packages=[study.package for study in settings.added]
    )


def result_files(names):
    return [f"{RESULTS}/{name}.{suffix}" for name in names for suffix in SUFFIXES]


FIGURE_FILES = [
    *(path for picture in pictures.values() for path in files_of(picture)),
    *(f"{RESULTS}/figures/overview.{suffix}" for suffix in KIND_SUFFIXES["figure"]),
    *(f"{RESULTS}/tables/verdicts.{suffix}" for suffix in KIND_SUFFIXES["table"]),
]
RESULT_FILES = result_files(
    dict.fromkeys(source for picture in pictures.values() for source in picture.sources)
)
DRAWING = sources("jouleproof.drawing.draw:draw_all")
ADDED = [f"--study={study.package}" for study in settings.added]


for group in by_sources(pictures).values():

    rule:
        name:
            "draw_" + group[0].name.replace("/", "_")
        input:
            result_files(group[0].sources),
            code=sorted(
                {*DRAWING, *(code for one in group for code in drawing_code(one))}
            ),
        output:
            [path for one in group for path in files_of(one)],
        log:
            f"{RESULTS}/log/figures/{group[0].name}.log",
        resources:
            runtime=15,
            mem_mb=2000,
        params:
            names=[one.name for one in group],
            figures=str(HOME / "figures"),
            added=ADDED,
        shell:
            "{JOULEPROOF} draw {params.names} --results {RESULTS} --figures {params.figures:q} {params.added}"
            " 2>&1 | tee {log}"


for study in settings.studies:

    rule:
        name:
            study.name
        input:
            [
                path
                for path in [*FIGURE_FILES, *EXPERIMENT_FILES]
                if f"/{study.name}/" in path
            ],


rule verdicts:
    input:
        list(dict.fromkeys([*RESULT_FILES, *EXPERIMENT_FILES])),
        ledgers=settings.ledgers,
        code=sources("jouleproof.cli.claims:judge"),
    output:
        VERDICTS,
        f"{RESULTS}/verdicts.size.txt",
    log:
        f"{RESULTS}/log/verdicts.log",
    params:
        size=label(settings, HOME / "workflows/config"),
        note=settings.note,
        ledgers=[f"--ledger={path}" for path in settings.ledgers],
    shell:
        "{JOULEPROOF} claims judge {params.ledgers} --results {RESULTS}"
        " --size {params.size} --note={params.note:q} 2>&1 | tee {log}"


rule overview:
    input:
        VERDICTS,
        code=sources("jouleproof.drawing.overview:make"),
    output:
        f"{RESULTS}/figures/overview.pdf",
        f"{RESULTS}/figures/overview.svg",
        report(
            f"{RESULTS}/figures/overview.png",
            caption="report/overview.rst",
            category="1 Verdicts",
            labels={"what": "The verdicts at a glance"},
        ),
    log:
        f"{RESULTS}/log/overview.log",
    shell:
        "{JOULEPROOF} claims overview --results {RESULTS} 2>&1 | tee {log}"


rule verdict_table:
    input:
        VERDICTS,
        code=sources("jouleproof.drawing.verdicts:make"),
    output:
        f"{RESULTS}/tables/verdicts.csv",
        f"{RESULTS}/tables/verdicts.tex",
        report(
            f"{RESULTS}/tables/verdicts.html",
            caption="report/verdicts.rst",
            category="1 Verdicts",
            labels={"what": "The verdicts, claim by claim"},
        ),
    log:
        f"{RESULTS}/log/verdict_table.log",
    shell:
        "{JOULEPROOF} claims table --results {RESULTS} 2>&1 | tee {log}"


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
        source=f"{HOME}/workflows/notebooks/{{study}}.py",
        code=f"{HOME}/workflows/notebooks/run.py",
    output:
        f"{RESULTS}/notebooks/{{study}}.ipynb",
    log:
        f"{RESULTS}/log/notebooks/{{study}}.log",
    wildcard_constraints:
        study="|".join(READ_BY_NOTEBOOKS),
    shell:
        "{PYTHON:q} {input.code:q} {input.source:q} --results {RESULTS} --out {output} 2>&1 | tee {log}"


rule notebooks:
    input:
        expand(f"{RESULTS}/notebooks/{{study}}.ipynb", study=READ_BY_NOTEBOOKS),
