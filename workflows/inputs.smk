"""Inputs: the user's folder, the cache, a download, or the built-in stand-in; verified, with a record of which."""

from bench.inputs import catalogue


localrules:
    resolve_input,  # nodes of a cluster often have no way out, and would use a stand-in; where Snakemake runs there is one


rule resolve_input:
    input:
        code=sources("bench.inputs.__main__", "bench.inputs.stand_in"),
        catalogue="bench/inputs/catalogue.toml",
        facts=[
            "bench/inputs/stand_in/azure_facts.json",
            "bench/inputs/stand_in/mlenergy_points.csv",
            "bench/inputs/stand_in/splitwise_profile_cells.csv",
        ],
    output:
        "results/inputs/{id}.json",
        files=directory("results/inputs/{id}"),
    wildcard_constraints:
        id="|".join(catalogue()),
    params:
        folder=lambda wildcards: settings.inputs_dir or "",
        mode=lambda wildcards: settings.inputs.get(wildcards.id, "auto"),
    shell:
        "{PYTHON:q} -m bench.inputs resolve {wildcards.id} --out {output[0]}"
        " --inputs-dir={params.folder:q} --mode {params.mode}"
