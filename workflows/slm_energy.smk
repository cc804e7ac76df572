"""Small language models: one rule per experiment, all of one shape."""

from jouleproof.studies.slm_energy.__main__ import EXPERIMENTS as SLM_EXPERIMENTS

SLM_ROOMS = {
    "energy_points": "energy_law",
    "ladder_energy": "ladder_cost",
    "ladder_equal_flops": "ladder",
    "tuning_cost": "tuning",
}
SLM_FACTS = {
    "answers": ["cards.toml"],
    "cards": ["cards.toml"],
    "engines": ["engines.csv"],
    "meter_audit": ["meter_audit.csv"],
}
SLM_COMMON = [
    "bench/slm_energy/__main__.py",
    *sources("jouleproof.study"),
    *own_files(settings.slm_energy),
]


for slm_name, slm_experiment in SLM_EXPERIMENTS.items():

    rule:
        name:
            f"slm_energy_{slm_name}"
        input:
            code=[
                *SLM_COMMON,
                *sources(
                    "jouleproof.studies.slm_energy.experiments." + SLM_ROOMS.get(slm_name, slm_name)
                ),
            ],
            facts=[
                f"bench/slm_energy/facts/{name}"
                for name in SLM_FACTS.get(slm_name, [])
            ],
            config="results/config/slm_energy.json",
            records=[f"results/inputs/{id}.json" for id in slm_experiment.inputs],
            tables=[
                f"results/slm_energy/{table}.parquet"
                for table in slm_experiment.results
            ],
        output:
            f"results/slm_energy/{slm_name}.parquet",
            f"results/slm_energy/{slm_name}.provenance.json",
        threads: workflow.cores if slm_experiment.timed else 1
        params:
            experiment=slm_name,
            inputs=[f"--input=results/inputs/{id}.json" for id in slm_experiment.inputs],
            tables=[
                f"--result=results/slm_energy/{table}.parquet"
                for table in slm_experiment.results
            ],
        shell:
            "{PYTHON:q} -m jouleproof.studies.slm_energy {params.experiment} --config {input.config}"
            " {params.inputs} {params.tables} --out {output[0]}"
