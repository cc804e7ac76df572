"""Inputs from the project, the user's folder, the cache, a download, or the built-in stand-in: verified, with a record of the origin."""


localrules:
    resolve_input,  # run where Snakemake runs: cluster nodes often have no network access, and would use a stand-in


rule resolve_input:
    input:
        code=later(
            sources,
            "jouleproof.cli.inputs:resolve",
            "jouleproof.inputs.stand_in",
            "jouleproof.inputs.ml_energy",
        ),
        users=lambda wildcards: users_files(wildcards.id),
    output:
        record=f"{RESULTS}/inputs/{{id}}.json",
        files=directory(f"{RESULTS}/inputs/{{id}}"),
    log:
        f"{RESULTS}/log/inputs/{{id}}.log",
    wildcard_constraints:
        id="|".join(catalogue()),
    params:
        folder=lambda wildcards: users_folder(wildcards.id),
        mode=lambda wildcards: settings.inputs.get(wildcards.id, "auto"),
    shell:
        "jouleproof inputs resolve {wildcards.id} --out {output.record}"
        " --inputs-dir={params.folder:q} --mode {params.mode} 2>&1 | tee {log}"
