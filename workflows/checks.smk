"""Compare the verdicts with the accepted ones; test damaged inputs and disturbed runs at scale (13 minutes): `snakemake faults`."""


rule check:
    input:
        VERDICTS,
    log:
        f"{RESULTS}/log/check.log",
    params:
        results=results_folder,
        expected=f"{HOME}/paper/expected.toml",
    shell:
        "jouleproof claims check --results {params.results} --expected {params.expected:q} 2>&1 | tee {log}"


FUZZED = [
    "settings",
    "ledger",
    "requests",
    "energy",
    "cpu_use",
    "gsm8k",
    "record",
    "mxarray",
    "safetensors",
    "results",
]
FAULTS = {
    "killed": 40,
    "full": 5,
    "read_only": 2,
    "clock": 3,
    "changed": 10,
    "two": 3,
    "memory": 2,
    "raises": 2,
    "wrong_shape": 2,
    "hangs": 2,
}
CAMPAIGN = [str(path) for path in sorted((HOME / "tests/faults").glob("*.py"))]


rule fuzz:
    input:
        CAMPAIGN,
    output:
        f"{RESULTS}/faults/fuzz/{{target}}.json",
    log:
        f"{RESULTS}/log/faults/fuzz_{{target}}.log",
    wildcard_constraints:
        target="|".join(FUZZED),
    shell:
        "python -m tests.faults fuzz {wildcards.target} --out {output} --inputs 35000 2>&1 | tee {log}"


rule fault:
    input:
        CAMPAIGN,
    output:
        f"{RESULTS}/faults/pipeline/{{fault}}.json",
    log:
        f"{RESULTS}/log/faults/{{fault}}.log",
    wildcard_constraints:
        fault="|".join(FAULTS),
    params:
        times=lambda wildcards: FAULTS[wildcards.fault],
    shell:
        "python -m tests.faults pipeline {wildcards.fault} --out {output} --times {params.times} 2>&1 | tee {log}"


rule faults:
    input:
        expand(f"{RESULTS}/faults/pipeline/{{fault}}.json", fault=FAULTS),
        expand(f"{RESULTS}/faults/fuzz/{{target}}.json", target=FUZZED),
    output:
        f"{RESULTS}/faults/faults.csv",
    log:
        f"{RESULTS}/log/faults/table.log",
    shell:
        "python -m tests.faults table {input} --out {output} 2>&1 | tee {log}"
