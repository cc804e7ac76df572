"""Phase splitting: simulated clusters, as published and corrected, and a small engine that serves for real."""

PHASE_SPLIT = "{PYTHON:q} -m jouleproof.studies.phase_split"
PHASE_SPLIT_COMMON = [
    "bench/phase_split/__main__.py",
    *sources("jouleproof.study"),
    *own_files(settings.phase_split),
]
PHASE_SPLIT_FACTS = [
    "bench/phase_split/facts/profile_axis.csv",
    "bench/inputs/stand_in/splitwise_profile_cells.csv",
]

ENGINE_CODE = sources(
    "jouleproof.serving.engine.worker",
    "jouleproof.serving.engine.traffic",
    "jouleproof.models.smollm2",
)


rule phase_split_profile:
    input:
        code=[*PHASE_SPLIT_COMMON, *sources("jouleproof.studies.phase_split.experiments.profile")],
        config="results/config/phase_split.json",
        profile="results/inputs/splitwise_profile.json",
    output:
        "results/phase_split/profile.parquet",
        "results/phase_split/profile.provenance.json",
    shell:
        PHASE_SPLIT
        + " profile --config {input.config} --input {input.profile} --out {output[0]}"


rule phase_split_laws:
    input:
        code=[*PHASE_SPLIT_COMMON, *sources("jouleproof.studies.phase_split.experiments.profile")],
        config="results/config/phase_split.json",
        profile="results/inputs/splitwise_profile.json",
    output:
        "results/phase_split/laws.parquet",
        "results/phase_split/laws.provenance.json",
    shell:
        PHASE_SPLIT
        + " laws --config {input.config} --input {input.profile} --out {output[0]}"


rule phase_split_traces:
    input:
        code=[*PHASE_SPLIT_COMMON, *sources("jouleproof.studies.phase_split.experiments.traces")],
        facts=PHASE_SPLIT_FACTS,
        config="results/config/phase_split.json",
        conv="results/inputs/azure_conv.json",
        code_trace="results/inputs/azure_code.json",
    output:
        "results/phase_split/traces.parquet",
        "results/phase_split/traces.provenance.json",
    shell:
        PHASE_SPLIT + " traces --config {input.config} --input {input.conv}"
        " --input {input.code_trace} --out {output[0]}"


rule phase_split_capacity:
    input:
        code=[*PHASE_SPLIT_COMMON, *sources("jouleproof.studies.phase_split.experiments.headlines")],
        facts=PHASE_SPLIT_FACTS,
        config="results/config/phase_split.json",
        conv="results/inputs/azure_conv.json",
        code_trace="results/inputs/azure_code.json",
    output:
        "results/phase_split/capacity.parquet",
        "results/phase_split/capacity.provenance.json",
    shell:
        PHASE_SPLIT + " capacity --config {input.config} --input {input.conv}"
        " --input {input.code_trace} --out {output[0]}"


rule phase_split_headlines:
    input:
        code=[*PHASE_SPLIT_COMMON, *sources("jouleproof.studies.phase_split.experiments.headlines")],
        facts=PHASE_SPLIT_FACTS,
        config="results/config/phase_split.json",
        conv="results/inputs/azure_conv.json",
        code_trace="results/inputs/azure_code.json",
    output:
        "results/phase_split/headlines.parquet",
        "results/phase_split/headlines.provenance.json",
    priority: 1
    shell:
        PHASE_SPLIT + " headlines --config {input.config} --input {input.conv}"
        " --input {input.code_trace} --out {output[0]}"


rule phase_split_corrections:
    input:
        code=[*PHASE_SPLIT_COMMON, *sources("jouleproof.studies.phase_split.experiments.headlines")],
        facts=PHASE_SPLIT_FACTS,
        config="results/config/phase_split.json",
        conv="results/inputs/azure_conv.json",
        code_trace="results/inputs/azure_code.json",
    output:
        "results/phase_split/corrections.parquet",
        "results/phase_split/corrections.provenance.json",
    priority: 2  # the longest, so it starts first
    shell:
        PHASE_SPLIT + " corrections --config {input.config} --input {input.conv}"
        " --input {input.code_trace} --out {output[0]}"


rule phase_split_latency:
    input:
        code=[*PHASE_SPLIT_COMMON, *sources("jouleproof.studies.phase_split.experiments.latency")],
        facts=PHASE_SPLIT_FACTS,
        config="results/config/phase_split.json",
        conv="results/inputs/azure_conv.json",
        code_trace="results/inputs/azure_code.json",
    output:
        "results/phase_split/latency.parquet",
        "results/phase_split/latency.provenance.json",
    shell:
        PHASE_SPLIT + " latency --config {input.config} --input {input.conv}"
        " --input {input.code_trace} --out {output[0]}"


rule phase_split_design_space:
    input:
        code=[
            *PHASE_SPLIT_COMMON,
            *sources("jouleproof.studies.phase_split.experiments.design_space"),
        ],
        facts=PHASE_SPLIT_FACTS,
        config="results/config/phase_split.json",
        conv="results/inputs/azure_conv.json",
        code_trace="results/inputs/azure_code.json",
    output:
        "results/phase_split/design_space.parquet",
        "results/phase_split/design_space.provenance.json",
    shell:
        PHASE_SPLIT + " design_space --config {input.config} --input {input.conv}"
        " --input {input.code_trace} --out {output[0]}"


rule phase_split_transfer:
    input:
        code=[*PHASE_SPLIT_COMMON, *sources("jouleproof.studies.phase_split.experiments.transfer")],
        facts=PHASE_SPLIT_FACTS,
        config="results/config/phase_split.json",
        conv="results/inputs/azure_conv.json",
        code_trace="results/inputs/azure_code.json",
    output:
        "results/phase_split/transfer.parquet",
        "results/phase_split/transfer.provenance.json",
    shell:
        PHASE_SPLIT + " transfer --config {input.config} --input {input.conv}"
        " --input {input.code_trace} --out {output[0]}"


rule phase_split_simulator_speed:
    input:
        code=[
            *PHASE_SPLIT_COMMON,
            *sources("jouleproof.studies.phase_split.experiments.simulator_speed"),
        ],
        facts=PHASE_SPLIT_FACTS,
        config="results/config/phase_split.json",
        conv="results/inputs/azure_conv.json",
        code_trace="results/inputs/azure_code.json",
    output:
        "results/phase_split/simulator_speed.parquet",
        "results/phase_split/simulator_speed.provenance.json",
    threads: workflow.cores
    shell:
        PHASE_SPLIT + " simulator_speed --config {input.config} --input {input.conv}"
        " --input {input.code_trace} --out {output[0]}"


rule phase_split_power_trace:
    input:
        code=[
            *PHASE_SPLIT_COMMON,
            *sources("jouleproof.studies.phase_split.experiments.power_trace"),
        ],
        facts=PHASE_SPLIT_FACTS,
        config="results/config/phase_split.json",
        conv="results/inputs/azure_conv.json",
        code_trace="results/inputs/azure_code.json",
    output:
        "results/phase_split/power_trace.parquet",
        "results/phase_split/power_trace.provenance.json",
    shell:
        PHASE_SPLIT + " power_trace --config {input.config} --input {input.conv}"
        " --input {input.code_trace} --out {output[0]}"


rule phase_split_robustness:
    input:
        code=[*PHASE_SPLIT_COMMON, *sources("jouleproof.studies.phase_split.experiments.robustness")],
        facts=PHASE_SPLIT_FACTS,
        config="results/config/phase_split.json",
        conv="results/inputs/azure_conv.json",
        code_trace="results/inputs/azure_code.json",
    output:
        "results/phase_split/robustness.parquet",
        "results/phase_split/robustness.provenance.json",
    shell:
        PHASE_SPLIT + " robustness --config {input.config} --input {input.conv}"
        " --input {input.code_trace} --out {output[0]}"


rule phase_split_phases:
    input:
        code=[*PHASE_SPLIT_COMMON, *sources("jouleproof.studies.phase_split.experiments.phases")],
        facts=PHASE_SPLIT_FACTS,
        config="results/config/phase_split.json",
        conv="results/inputs/azure_conv.json",
        code_trace="results/inputs/azure_code.json",
    output:
        "results/phase_split/phases.parquet",
        "results/phase_split/phases.provenance.json",
    shell:
        PHASE_SPLIT + " phases --config {input.config} --input {input.conv}"
        " --input {input.code_trace} --out {output[0]}"


rule phase_split_beyond:
    input:
        code=[*PHASE_SPLIT_COMMON, *sources("jouleproof.studies.phase_split.experiments.beyond")],
        facts=PHASE_SPLIT_FACTS,
        config="results/config/phase_split.json",
        conv="results/inputs/azure_conv.json",
        code_trace="results/inputs/azure_code.json",
    output:
        "results/phase_split/beyond.parquet",
        "results/phase_split/beyond.provenance.json",
    shell:
        PHASE_SPLIT + " beyond --config {input.config} --input {input.conv}"
        " --input {input.code_trace} --out {output[0]}"


rule phase_split_service_energy:
    input:
        code=[
            *PHASE_SPLIT_COMMON,
            *sources("jouleproof.studies.phase_split.experiments.service_energy"),
        ],
        facts=PHASE_SPLIT_FACTS,
        config="results/config/phase_split.json",
        conv="results/inputs/azure_conv.json",
        code_trace="results/inputs/azure_code.json",
    output:
        "results/phase_split/service_energy.parquet",
        "results/phase_split/service_energy.provenance.json",
    shell:
        PHASE_SPLIT + " service_energy --config {input.config} --input {input.conv}"
        " --input {input.code_trace} --out {output[0]}"


rule phase_split_active:
    input:
        code=[*PHASE_SPLIT_COMMON, *sources("jouleproof.studies.phase_split.experiments.active")],
        facts=PHASE_SPLIT_FACTS,
        config="results/config/phase_split.json",
        conv="results/inputs/azure_conv.json",
        code_trace="results/inputs/azure_code.json",
    output:
        "results/phase_split/active.parquet",
        "results/phase_split/active.provenance.json",
    shell:
        PHASE_SPLIT + " active --config {input.config} --input {input.conv}"
        " --input {input.code_trace} --out {output[0]}"


rule phase_split_week:
    input:
        code=[*PHASE_SPLIT_COMMON, *sources("jouleproof.studies.phase_split.experiments.week")],
        facts=PHASE_SPLIT_FACTS,
        config="results/config/phase_split.json",
        conv="results/inputs/azure_conv.json",
        code_trace="results/inputs/azure_code.json",
    output:
        "results/phase_split/week.parquet",
        "results/phase_split/week.provenance.json",
    shell:
        PHASE_SPLIT + " week --config {input.config} --input {input.conv}"
        " --input {input.code_trace} --out {output[0]}"


rule phase_split_serving:
    input:
        code=[
            *PHASE_SPLIT_COMMON,
            *ENGINE_CODE,
            *sources("jouleproof.studies.phase_split.experiments.serving"),
        ],
        config="results/config/phase_split.json",
        conv="results/inputs/azure_conv.json",
        code_trace="results/inputs/azure_code.json",
        problems="results/inputs/gsm8k_test.json",
        model="results/inputs/smollm2_135m.json",
    output:
        "results/phase_split/serving.parquet",
        "results/phase_split/serving.provenance.json",
    threads: workflow.cores
    shell:
        PHASE_SPLIT + " serving --config {input.config} --input {input.conv}"
        " --input {input.code_trace} --input {input.problems}"
        " --input {input.model} --out {output[0]}"


rule phase_split_moves:
    input:
        code=[
            *PHASE_SPLIT_COMMON,
            *ENGINE_CODE,
            *sources("jouleproof.studies.phase_split.experiments.moves"),
        ],
        config="results/config/phase_split.json",
        problems="results/inputs/gsm8k_test.json",
        model="results/inputs/smollm2_135m.json",
    output:
        "results/phase_split/moves.parquet",
        "results/phase_split/moves.provenance.json",
    threads: workflow.cores
    shell:
        PHASE_SPLIT + " moves --config {input.config} --input {input.problems}"
        " --input {input.model} --out {output[0]}"


rule phase_split_roofline:
    input:
        code=[
            *PHASE_SPLIT_COMMON,
            *ENGINE_CODE,
            *sources("jouleproof.studies.phase_split.experiments.roofline"),
        ],
        config="results/config/phase_split.json",
        problems="results/inputs/gsm8k_test.json",
        model="results/inputs/smollm2_135m.json",
    output:
        "results/phase_split/roofline.parquet",
        "results/phase_split/roofline.provenance.json",
    threads: workflow.cores
    shell:
        PHASE_SPLIT + " roofline --config {input.config} --input {input.problems}"
        " --input {input.model} --out {output[0]}"
