"""What damaged inputs and disturbed runs lead to, in large: an hour, and no part of the paper. `snakemake faults`."""

FUZZED = [
    "settings",
    "ledger",
    "trace",
    "requests",
    "profile",
    "power",
    "energy",
    "cpu_use",
    "gsm8k",
    "record",
    "mxarray",
    "safetensors",
    "results",
]
FAULTS = {
    "killed": 100,
    "full": 10,
    "read_only": 2,
    "clock": 5,
    "changed": 20,
    "two": 5,
    "memory": 2,
    "raises": 2,
    "wrong_shape": 2,
    "hangs": 2,
}
CAMPAIGN = [str(path) for path in sorted(Path("tests/faults").glob("*.py"))]


rule fuzz:
    input:
        CAMPAIGN,
    output:
        "results/faults/fuzz/{target}.json",
    wildcard_constraints:
        target="|".join(FUZZED),
    shell:
        "{PYTHON:q} -m tests.faults fuzz {wildcards.target} --out {output} --inputs 100000"


rule fault:
    input:
        CAMPAIGN,
    output:
        "results/faults/pipeline/{fault}.json",
    wildcard_constraints:
        fault="|".join(FAULTS),
    params:
        times=lambda wildcards: FAULTS[wildcards.fault],
    shell:
        "{PYTHON:q} -m tests.faults pipeline {wildcards.fault} --out {output} --times {params.times}"


rule faults:
    input:
        expand("results/faults/pipeline/{fault}.json", fault=FAULTS),
        expand("results/faults/fuzz/{target}.json", target=FUZZED),
    output:
        "results/faults/faults.csv",
    shell:
        "{PYTHON:q} -m tests.faults table {input} --out {output}"
