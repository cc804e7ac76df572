"""Experiments of all studies, built in or added: one rule each, all of one shape; and the models that they share."""

RECORD, TABLE = f"{RESULTS}/inputs/{{}}.json", f"{RESULTS}/{{}}.parquet"
SUFFIXES = ("parquet", "provenance.json")
EXPERIMENT_FILES = [
    f"{RESULTS}/{study.name}/{name}.{suffix}"
    for study in settings.studies
    for name in study.experiments
    for suffix in SUFFIXES
]
JOB = sources("jouleproof.job:run")  # what every experiment's job runs


def options(name, paths):
    return [f"--{name}={path}" for path in paths]


def code_of(study, experiment):
    """Files that an experiment's function, its inputs' readers and the objects that its knobs name are made of."""
    readers = [catalogue()[id].reader for id in experiment.inputs]
    return sorted(
        {
            *JOB,
            *sources(study.object_name(experiment.function), *filter(None, readers)),
            *code_named_in(study.knobs(experiment, knobs_of(study, experiment))),
        }
    )


def knobs_of(study, experiment):
    """The knobs that an experiment reads, as JSON: its rule runs again when one of these changes."""
    return study.knobs_json(experiment, settings.configs[study.name])


def data_of(study, experiment):
    """Files of data that an experiment's knobs name."""
    return [str(path) for path in data_files(json.loads(knobs_of(study, experiment)))]


def checkpoint_files(study, experiment):
    names = study.checkpoints_of(experiment, settings.configs[study.name])
    return [f"{RESULTS}/checkpoints/{study.name}/{name}.safetensors" for name in names]


for study in settings.studies:
    for name, experiment in study.experiments.items():

        rule:
            name:
                f"{study.name}_{name}"
            input:
                code=code_of(study, experiment),
                data=data_of(study, experiment),
                records=[RECORD.format(id) for id in experiment.inputs],
                tables=[TABLE.format(table) for table in study.reads(experiment)],
                checkpoints=checkpoint_files(study, experiment),
            output:
                update(f"{RESULTS}/{study.name}/{name}.parquet"),
                update(f"{RESULTS}/{study.name}/{name}.provenance.json"),
            log:
                f"{RESULTS}/log/{study.name}/{name}.log",
            priority: experiment.priority
            threads: workflow.cores if experiment.timed else 1
            resources:
                **experiment.resources,
            params:
                study=study.name if study.built_in else study.package,
                experiment=name,
                config=knobs_of(study, experiment),
                inputs=lambda wildcards, input: options("input", input.records),
                tables=lambda wildcards, input: options("table", input.tables),
                checkpoints=lambda wildcards, input: options(
                    "checkpoint", input.checkpoints
                ),
            shell:
                "{JOULEPROOF} run {params.study} {params.experiment} --config {params.config:q}"
                " {params.inputs} {params.tables} {params.checkpoints} --out {output[0]} 2>&1 | tee {log}"

    for name, experiment in study.trained(settings.configs[study.name]).items():

        rule:
            name:
                f"{study.name}_train_{name}"
            input:
                code=sources(
                    "jouleproof.job:train", study.object_name(experiment.function)
                ),
                tables=[TABLE.format(table) for table in study.reads(experiment)],
                checkpoints=checkpoint_files(study, experiment),
            output:
                f"{RESULTS}/checkpoints/{study.name}/{name}.safetensors",
            log:
                f"{RESULTS}/log/{study.name}/train_{name}.log",
            priority: experiment.priority
            resources:
                **experiment.resources,
            params:
                study=study.name if study.built_in else study.package,
                function=experiment.function,
                checkpoint=name,
                config=knobs_of(study, experiment),
                tables=lambda wildcards, input: options("table", input.tables),
                checkpoints=lambda wildcards, input: options(
                    "checkpoint", input.checkpoints
                ),
            shell:
                "{JOULEPROOF} train {params.study} {params.function} {params.checkpoint} --config {params.config:q}"
                " {params.tables} {params.checkpoints} --out {output} 2>&1 | tee {log}"
