"""Studies of the user's own (jouleproof.own): one rule per experiment; their figures and claims join the others."""

OWN_STUDIES = settings.own()
OWN_LEDGERS = [str(study.ledger) for study in OWN_STUDIES if study.ledger]
OWN_RESULT_FILES = [
    f"results/{study.name}/{name}.{suffix}"
    for study in OWN_STUDIES
    for name in study.experiments
    for suffix in ("parquet", "provenance.json")
]


def check_sources(study):
    """Figures of a study of the user's own read results that it has: a finished run would not miss another."""
    for picture in pictures.values():
        for source in picture.sources:
            owner, _, name = source.partition("/")
            if owner == study.name and name not in study.experiments:
                raise WorkflowError(
                    f"{picture.module}: SOURCES: {source} is no experiment of {study.module};"
                    f" it has {', '.join(study.experiments)}"
                )


def made_by(study):
    """All tables, figures and tables of text of a study."""
    return lambda wildcards: [
        path for path in [*FIGURE_FILES, *OWN_RESULT_FILES] if f"/{study}/" in path
    ]


for own_study in OWN_STUDIES:
    check_sources(own_study)
    for own_name, own_experiment in own_study.experiments.items():

        rule:
            name:
                f"{own_study.name}_{own_name}"
            input:
                code=sorted(
                    {
                        *sources("jouleproof.own"),
                        *own_sources([f"{own_study.module}:EXPERIMENTS"]),
                        *own_files(own_study.config),
                    }
                ),
                config=f"results/config/{own_study.name}.json",
                records=[f"results/inputs/{id}.json" for id in own_experiment.inputs],
                tables=[
                    f"results/{own_study.table(table)}.parquet"
                    for table in own_experiment.results
                ],
            output:
                f"results/{own_study.name}/{own_name}.parquet",
                f"results/{own_study.name}/{own_name}.provenance.json",
            threads: workflow.cores if own_experiment.timed else 1
            params:
                package=own_study.package,
                experiment=own_name,
                inputs=[
                    f"--input=results/inputs/{id}.json" for id in own_experiment.inputs
                ],
                tables=[
                    f"--result=results/{own_study.table(table)}.parquet"
                    for table in own_experiment.results
                ],
            shell:
                "{PYTHON:q} -m jouleproof.own {params.package:q} {params.experiment}"
                " --config {input.config} {params.inputs} {params.tables} --out {output[0]}"

    rule:
        name:
            own_study.name
        input:
            made_by(own_study.name),
