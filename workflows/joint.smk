"""The levers together: one rule per experiment, on other studies' tables alone."""

from jouleproof.studies.joint.__main__ import EXPERIMENTS as JOINT_EXPERIMENTS, STUDY_OF

for joint_name, joint_experiment in JOINT_EXPERIMENTS.items():

    rule:
        name:
            f"joint_{joint_name}"
        input:
            code=[
                "bench/joint/__main__.py",
                *sources("jouleproof.study", "jouleproof.studies.joint.experiments.levers"),
            ],
            config="results/config/joint.json",
            tables=[
                f"results/{STUDY_OF[table]}/{table}.parquet"
                for table in joint_experiment.results
            ],
        output:
            f"results/joint/{joint_name}.parquet",
            f"results/joint/{joint_name}.provenance.json",
        params:
            experiment=joint_name,
            tables=[
                f"--result=results/{STUDY_OF[table]}/{table}.parquet"
                for table in joint_experiment.results
            ],
        shell:
            "{PYTHON:q} -m jouleproof.studies.joint {params.experiment} --config {input.config}"
            " {params.tables} --out {output[0]}"
