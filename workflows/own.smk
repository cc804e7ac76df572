"""Studies of the user's own (bench.own): one rule per experiment; their figures and claims join the others."""

OWN_STUDIES = settings.own()
for own_study in OWN_STUDIES:
    known = {f"{own_study.name}/{name}" for name in own_study.experiments}
    for figure in pictures.values():
        for source in figure.sources:
            if source.startswith(f"{own_study.name}/") and source not in known:
                raise WorkflowError(
                    f"{figure.module}: SOURCES: {source} is no result; there are {', '.join(sorted(known))}"
                )
OWN_LEDGERS = [str(study.ledger) for study in OWN_STUDIES if study.ledger]
OWN_RESULT_FILES = [
    f"results/{study.name}/{name}.{suffix}"
    for study in OWN_STUDIES
    for name in study.experiments
    for suffix in ("parquet", "provenance.json")
]


def made_by(study):
    """All tables, figures and tables of text of a study."""
    return lambda wildcards: [
        path for path in [*FIGURE_FILES, *OWN_RESULT_FILES] if f"/{study}/" in path
    ]


for own_study in OWN_STUDIES:
    for own_name, own_experiment in own_study.experiments.items():

        rule:
            name:
                f"{own_study.name}_{own_name}"
            input:
                code=sorted(
                    {
                        *sources("bench.own"),
                        *own_sources([f"{own_study.module}:EXPERIMENTS"]),
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
                "{PYTHON:q} -m bench.own {params.package:q} {params.experiment}"
                " --config {input.config} {params.inputs} {params.tables} --out {output[0]}"

    rule:
        name:
            own_study.name
        input:
            made_by(own_study.name),
