"""MX number formats: what they store, what they lose, what that does to real models."""

MX = "{PYTHON:q} -m jouleproof.studies.mx"
MX_COMMON = [
    "bench/mx/__main__.py",
    *sources("jouleproof.study"),
    *own_files(settings.mx),
]


rule mx_formats:
    input:
        code=[*MX_COMMON, *sources("jouleproof.studies.mx.experiments.formats")],
        config="results/config/mx.json",
    output:
        "results/mx/formats.parquet",
        "results/mx/formats.provenance.json",
    shell:
        MX + " formats --config {input.config} --out {output[0]}"


rule mx_qsnr:
    input:
        code=[*MX_COMMON, *sources("jouleproof.studies.mx.experiments.qsnr")],
        config="results/config/mx.json",
    output:
        "results/mx/qsnr.parquet",
        "results/mx/qsnr.provenance.json",
    shell:
        MX + " qsnr --config {input.config} --out {output[0]}"


rule mx_error_sources:
    input:
        code=[*MX_COMMON, *sources("jouleproof.studies.mx.experiments.error_sources")],
        config="results/config/mx.json",
    output:
        "results/mx/error_sources.parquet",
        "results/mx/error_sources.provenance.json",
    shell:
        MX + " error_sources --config {input.config} --out {output[0]}"


rule mx_qsnr_on_weights:
    input:
        code=[*MX_COMMON, *sources("jouleproof.studies.mx.experiments.qsnr_on_weights")],
        config="results/config/mx.json",
        gsm8k="results/inputs/gsm8k_test.json",
        smollm2="results/inputs/smollm2_135m.json",
        minilm="results/inputs/minilm_l6.json",
    output:
        "results/mx/qsnr_on_weights.parquet",
        "results/mx/qsnr_on_weights.provenance.json",
    shell:
        MX + " qsnr_on_weights --config {input.config} --input {input.gsm8k}"
        " --input {input.smollm2} --input {input.minilm} --out {output[0]}"


rule mx_direct_cast_language:
    input:
        code=[*MX_COMMON, *sources("jouleproof.studies.mx.experiments.direct_cast")],
        config="results/config/mx.json",
        gsm8k="results/inputs/gsm8k_test.json",
        smollm2="results/inputs/smollm2_135m.json",
    output:
        "results/mx/direct_cast_language.parquet",
        "results/mx/direct_cast_language.provenance.json",
    priority: 1  # the longest, so it starts first
    shell:
        MX + " direct_cast_language --config {input.config} --input {input.gsm8k}"
        " --input {input.smollm2} --out {output[0]}"


rule mx_direct_cast_embedding:
    input:
        code=[*MX_COMMON, *sources("jouleproof.studies.mx.experiments.direct_cast")],
        config="results/config/mx.json",
        gsm8k="results/inputs/gsm8k_test.json",
        minilm="results/inputs/minilm_l6.json",
    output:
        "results/mx/direct_cast_embedding.parquet",
        "results/mx/direct_cast_embedding.provenance.json",
    shell:
        MX + " direct_cast_embedding --config {input.config} --input {input.gsm8k}"
        " --input {input.minilm} --out {output[0]}"


rule mx_conformance:
    input:
        code=[*MX_COMMON, *sources("jouleproof.studies.mx.experiments.conformance")],
        config="results/config/mx.json",
    output:
        "results/mx/conformance.parquet",
        "results/mx/conformance.provenance.json",
    shell:
        MX + " conformance --config {input.config} --out {output[0]}"


rule mx_training:
    input:
        code=[*MX_COMMON, *sources("jouleproof.studies.mx.experiments.training")],
        config="results/config/mx.json",
        gsm8k_train="results/inputs/gsm8k_train.json",
        gsm8k_test="results/inputs/gsm8k_test.json",
    output:
        "results/mx/training.parquet",
        "results/mx/training.provenance.json",
    priority: 1
    shell:
        MX + " training --config {input.config} --input {input.gsm8k_train}"
        " --input {input.gsm8k_test} --out {output[0]}"


rule mx_wire:
    input:
        code=[*MX_COMMON, *sources("jouleproof.studies.mx.experiments.wire")],
        config="results/config/mx.json",
        gsm8k="results/inputs/gsm8k_test.json",
        smollm2="results/inputs/smollm2_135m.json",
    output:
        "results/mx/wire.parquet",
        "results/mx/wire.provenance.json",
    threads: workflow.cores  # timings run alone
    shell:
        MX + " wire --config {input.config} --input {input.gsm8k}"
        " --input {input.smollm2} --out {output[0]}"


rule mx_silicon:
    input:
        code=[*MX_COMMON, *sources("jouleproof.studies.mx.experiments.silicon")],
        config="results/config/mx.json",
    output:
        "results/mx/silicon.parquet",
        "results/mx/silicon.provenance.json",
    shell:
        MX + " silicon --config {input.config} --out {output[0]}"


rule mx_peak_rates:
    input:
        code=[
            *MX_COMMON,
            *sources("jouleproof.studies.mx.experiments.peak_rates"),
            "bench/mx/accelerators.toml",
        ],
        config="results/config/mx.json",
    output:
        "results/mx/peak_rates.parquet",
        "results/mx/peak_rates.provenance.json",
    shell:
        MX + " peak_rates --config {input.config} --out {output[0]}"


rule mx_throughput:
    input:
        code=[
            *MX_COMMON,
            *sources("jouleproof.studies.mx.experiments.throughput", "jouleproof.studies.mx.micro.casts"),
        ],
        config="results/config/mx.json",
    output:
        "results/mx/throughput.parquet",
        "results/mx/throughput.provenance.json",
    threads: workflow.cores
    shell:
        MX + " throughput --config {input.config} --out {output[0]}"


rule mx_matvec:
    input:
        code=[*MX_COMMON, *sources("jouleproof.studies.mx.experiments.matvec")],
        config="results/config/mx.json",
    output:
        "results/mx/matvec.parquet",
        "results/mx/matvec.provenance.json",
    threads: workflow.cores
    shell:
        MX + " matvec --config {input.config} --out {output[0]}"


rule mx_decode:
    input:
        code=[*MX_COMMON, *sources("jouleproof.studies.mx.experiments.decode")],
        config="results/config/mx.json",
        gsm8k="results/inputs/gsm8k_test.json",
        smollm2="results/inputs/smollm2_135m.json",
    output:
        "results/mx/decode.parquet",
        "results/mx/decode.provenance.json",
    threads: workflow.cores
    shell:
        MX + " decode --config {input.config} --input {input.gsm8k}"
        " --input {input.smollm2} --out {output[0]}"
