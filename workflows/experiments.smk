"""Experiments of all studies, built-in or added, with one rule each of the same shape, and the models that they share."""

for study in settings.studies:
    for name, experiment in study.experiments.items():

        rule:
            name:
                f"{study.name}_{name}"
            input:
                code=later(code_of, study, experiment),
                data=later(data_of, study, experiment),
                records=[RECORD.format(id) for id in experiment.inputs],
                tables=[TABLE.format(table) for table in study.reads(experiment)],
                checkpoints=checkpoint_files(study, experiment),
            output:
                table=update(f"{RESULTS}/{study.name}/{name}.parquet"),
                provenance=update(f"{RESULTS}/{study.name}/{name}.provenance.json"),
            log:
                f"{RESULTS}/log/{study.name}/{name}.log",
            priority: experiment.priority
            group:
                shared_job(experiment)
            threads: workflow.cores if experiment.timed and not settings.quick else 1
            resources:
                **experiment.resources,
            params:
                study=study.name if study.built_in else study.package,
                experiment=name,
                config=knobs_of(study, experiment),
                data=later(state_of, study, experiment),
                inputs=lambda wildcards, input: options("input", input.records),
                tables=lambda wildcards, input: options("table", input.tables),
                checkpoints=lambda wildcards, input: options(
                    "checkpoint", input.checkpoints
                ),
            shell:
                "jouleproof run {params.study} {params.experiment} --config {params.config:q}"
                " {params.inputs} {params.tables} {params.checkpoints} --out {output.table} 2>&1 | tee {log}"

    for name, experiment in study.trained(settings.configs[study.name]).items():

        rule:
            name:
                f"{study.name}_train_{name}"
            input:
                code=later(code_of_training, study, experiment),
                data=later(data_of, study, experiment),
                tables=[TABLE.format(table) for table in study.reads(experiment)],
                checkpoints=checkpoint_files(study, experiment),
            output:
                checkpoint=f"{RESULTS}/checkpoints/{study.name}/{name}.safetensors",
                inputs=f"{RESULTS}/checkpoints/{study.name}/{name}.inputs.json",
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
                data=later(state_of, study, experiment),
                tables=lambda wildcards, input: options("table", input.tables),
                checkpoints=lambda wildcards, input: options(
                    "checkpoint", input.checkpoints
                ),
            shell:
                "jouleproof train {params.study} {params.function} {params.checkpoint} --config {params.config:q}"
                " {params.tables} {params.checkpoints} --out {output.checkpoint} 2>&1 | tee {log}"
