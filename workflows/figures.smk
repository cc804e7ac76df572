"""Verdicts, and every figure and table: one job each, so that an edit remakes one."""

LEDGER = "paper/claims.toml"
FIGURES = {name: figure for name, figure in pictures.items() if figure.kind == "figure"}
TABLES = {name: figure for name, figure in pictures.items() if figure.kind == "table"}
FIGURE_SUFFIXES, TABLE_SUFFIXES = ("pdf", "svg", "png"), ("csv", "tex", "html")
FIGURE_FILES = [
    *expand(
        "results/figures/{name}.{suffix}",
        name=[*FIGURES, "overview"],
        suffix=FIGURE_SUFFIXES,
    ),
    *expand(
        "results/tables/{name}.{suffix}",
        name=[*TABLES, "verdicts"],
        suffix=TABLE_SUFFIXES,
    ),
]


RESULT_FILES = expand(
    "results/{source}.{suffix}",
    source=dict.fromkeys(
        source for figure in pictures.values() for source in figure.sources
    ),
    suffix=("parquet", "provenance.json"),
)


def results_read_by(wildcards):
    return [
        f"results/{source}.{suffix}"
        for source in pictures[wildcards.name].sources
        for suffix in ("parquet", "provenance.json")
    ]


def caption(wildcards):
    return pictures[wildcards.name].caption


def title(wildcards):
    return {"what": pictures[wildcards.name].title}


def own_package(wildcards):
    """Of the study of the user's own that a figure belongs to, as an option; none for those that are built in."""
    package = pictures[wildcards.name].module.rpartition(".figures.")[0]
    return f"--own={package}" if package else ""


def code_of_figure(wildcards):
    drawer = pictures[wildcards.name].module
    if own_package(wildcards):
        return [*sources("jouleproof.drawing.draw"), *own_sources([f"{drawer}:draw"])]
    return sources("jouleproof.drawing.draw", drawer)


rule figure:
    input:
        results_read_by,
        code=code_of_figure,
    output:
        "results/figures/{name}.pdf",
        "results/figures/{name}.svg",
        report(
            "results/figures/{name}.png",
            caption="report/figure.rst",
            category="2 Figures",
            labels=title,
        ),
    wildcard_constraints:
        name="|".join(FIGURES),
    params:
        caption=caption,
        own=own_package,
    shell:
        "{PYTHON:q} -m figures {wildcards.name} {params.own}"


rule table:
    input:
        results_read_by,
        code=code_of_figure,
    output:
        "results/tables/{name}.csv",
        "results/tables/{name}.tex",
        report(
            "results/tables/{name}.html",
            caption="report/figure.rst",
            category="3 Tables",
            labels=title,
        ),
    wildcard_constraints:
        name="|".join(TABLES),
    params:
        caption=caption,
        own=own_package,
    shell:
        "{PYTHON:q} -m figures {wildcards.name} {params.own}"


rule mx:
    input:
        [path for path in FIGURE_FILES if "/mx/" in path],


rule phase_split:
    input:
        [path for path in FIGURE_FILES if "/phase_split/" in path],


rule placement:
    input:
        [path for path in FIGURE_FILES if "/placement/" in path],


rule slm_energy:
    input:
        [path for path in FIGURE_FILES if "/slm_energy/" in path],


rule joint:
    input:
        [path for path in FIGURE_FILES if "/joint/" in path],


rule verdicts:
    input:
        list(dict.fromkeys([*RESULT_FILES, *OWN_RESULT_FILES])),
        ledgers=[LEDGER, *OWN_LEDGERS],
        code=sources("jouleproof.evidence.cli"),
    output:
        "results/verdicts.json",
        "results/verdicts.size.txt",
    params:
        size=label(settings, Path("workflows/config")),
        note=settings.note,
        ledgers=[f"--ledger={path}" for path in [LEDGER, *OWN_LEDGERS]],
    shell:
        "{PYTHON:q} -m jouleproof.evidence judge {params.ledgers} --out {output[0]}"
        " --size {params.size} --note={params.note:q}"


rule overview:
    input:
        "results/verdicts.json",
        code=sources("jouleproof.drawing.overview"),
    output:
        "results/figures/overview.pdf",
        "results/figures/overview.svg",
        report(
            "results/figures/overview.png",
            caption="report/overview.rst",
            category="1 Verdicts",
            labels={"what": "The verdicts at a glance"},
        ),
    shell:
        "{PYTHON:q} -m jouleproof.drawing.overview --verdicts {input[0]} --out results/figures/overview"


rule verdict_table:
    input:
        "results/verdicts.json",
        code=sources("jouleproof.drawing.verdicts"),
    output:
        "results/tables/verdicts.csv",
        "results/tables/verdicts.tex",
        report(
            "results/tables/verdicts.html",
            caption="report/verdicts.rst",
            category="1 Verdicts",
            labels={"what": "The verdicts, claim by claim"},
        ),
    shell:
        "{PYTHON:q} -m jouleproof.drawing.verdicts --verdicts {input[0]} --out results/tables/verdicts"


rule check:
    input:
        "results/verdicts.json",
    shell:
        "{PYTHON:q} -m jouleproof.evidence check"
