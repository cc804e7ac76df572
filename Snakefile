"""Inputs, benchmarks, verdicts, figures, paper: `snakemake` makes results/paper.pdf and all that it rests on."""

import os
import sys
from pathlib import Path

from jouleproof.errors import UserError
from jouleproof.settings import label, read_settings, write_configs
from jouleproof.sources import own_files, own_sources, sources
from jouleproof.drawing.registry import registry
from snakemake.exceptions import WorkflowError


configfile: "workflows/config/default.yaml"


report: "workflows/report/artifact.rst"


try:
    settings = read_settings(config, os.environ)
    pictures = registry(tuple(settings.own_studies))
    write_configs(settings, config, Path("results/config"))
except UserError as error:
    raise WorkflowError(str(error))

PYTHON = sys.executable


# A limit of jobs per timespan makes Snakemake look for jobs after each timespan, once more for every job that has ended:
# after 150 jobs that takes a quarter of a core from the timed ones. On one machine nothing needs the limit.
onstart:
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None


include: "workflows/inputs.smk"
include: "workflows/mx.smk"
include: "workflows/phase_split.smk"
include: "workflows/placement.smk"
include: "workflows/slm_energy.smk"
include: "workflows/joint.smk"
include: "workflows/own.smk"
include: "workflows/figures.smk"
include: "workflows/paper.smk"
include: "workflows/notebooks.smk"
include: "workflows/faults.smk"


rule all:
    default_target: True
    input:
        rules.paper.output,
        rules.appendix.output,
        rules.html_report.output,
        rules.verdicts.output,
        FIGURE_FILES,
        RESULT_FILES,
