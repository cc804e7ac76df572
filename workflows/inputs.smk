"""Inputs: the user's folder, the cache, a download, or the built-in stand-in; verified, with a record of which."""

from jouleproof.inputs import catalogue


localrules:
    resolve_input,  # nodes of a cluster often have no way out, and would use a stand-in; where Snakemake runs there is one


rule resolve_input:
    input:
        code=sources("jouleproof.inputs.cli", "jouleproof.inputs.stand_in"),
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
        "{PYTHON:q} -m jouleproof.inputs resolve {wildcards.id} --out {output[0]}"
        " --inputs-dir={params.folder:q} --mode {params.mode}"
