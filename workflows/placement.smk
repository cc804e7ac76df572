"""Placement by power telemetry: one rule per experiment, all of one shape."""

from jouleproof.studies.placement.__main__ import EXPERIMENTS as PLACEMENT_EXPERIMENTS

PLACEMENT_ROOMS = {
    "sensed": "precision",
    "profile_error": "precision",
    "frontier": "hosting",
    "predictability": "hosting",
    "bounds": "policies",
}
PLACEMENT_COMMON = [
    "bench/placement/__main__.py",
    *sources("jouleproof.study"),
    *own_files(settings.placement),
]


for placement_name, placement_experiment in PLACEMENT_EXPERIMENTS.items():

    rule:
        name:
            f"placement_{placement_name}"
        input:
            code=[
                *PLACEMENT_COMMON,
                *sources(
                    "jouleproof.studies.placement.experiments."
                    + PLACEMENT_ROOMS.get(placement_name, placement_name)
                ),
            ],
            config="results/config/placement.json",
            own=[str(path) for path in placement_experiment.own(settings.placement)],
            records=[f"results/inputs/{id}.json" for id in placement_experiment.inputs],
            tables=[
                f"results/phase_split/{table}.parquet"
                for table in placement_experiment.results
            ],
        output:
            f"results/placement/{placement_name}.parquet",
            f"results/placement/{placement_name}.provenance.json",
        priority: 1 if placement_name in ("hosting", "leakage") else 0  # the longest
        threads: workflow.cores if placement_experiment.timed else 1
        params:
            experiment=placement_name,
            inputs=[
                f"--input=results/inputs/{id}.json"
                for id in placement_experiment.inputs
            ],
            tables=[
                f"--result=results/phase_split/{table}.parquet"
                for table in placement_experiment.results
            ],
        shell:
            "{PYTHON:q} -m jouleproof.studies.placement {params.experiment} --config {input.config}"
            " {params.inputs} {params.tables} --out {output[0]}"
