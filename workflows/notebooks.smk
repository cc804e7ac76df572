"""One notebook per study, executed: `snakemake notebooks`. Not part of the default run; needs the extra `notebooks`."""

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
            f"results/{table}.parquet" for table in READ_BY_NOTEBOOKS[wildcards.study]
        ],
        source="workflows/notebooks/{study}.py",
        code="workflows/notebooks/run.py",
    output:
        "results/notebooks/{study}.ipynb",
    wildcard_constraints:
        study="|".join(READ_BY_NOTEBOOKS),
    shell:
        "{PYTHON:q} {input.code} {input.source} --out {output}"


rule notebooks:
    input:
        expand("results/notebooks/{study}.ipynb", study=READ_BY_NOTEBOOKS),
