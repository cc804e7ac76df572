"""Inputs, benchmarks, verdicts, figures, paper: `snakemake` makes results/paper.pdf and everything that it needs."""

import json
import os
import re
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

from jouleproof.drawing.registry import by_sources, folders_in, registry
from jouleproof.errors import UserError, contained
from jouleproof.evidence.ledger_check import check_figures
from jouleproof.inputs import CommittedEntry, catalogue
from jouleproof.libraries import lacks
from jouleproof.knobs import fields_of
from jouleproof.paths import data_files, fingerprints
from jouleproof.plugins import look_beside
from jouleproof.settings import (
    check_keys,
    check_results,
    check_sources,
    label,
    read_settings,
)
from jouleproof.sources import code_named_in, sources

min_version("9.0")

HOME = Path(workflow.basedir)
for folder in (HOME, Path.cwd()):
    if re.search("[{}]", str(folder)):
        raise WorkflowError(
            f"{folder}: Snakemake takes braces for wildcards; rename the folder"
        )
look_beside(HOME)  # for the user's modules; jobs look there too


configfile: f"{HOME}/workflows/config/default.yaml"


report: "workflows/report/artifact.rst"


try:
    with contained("code that the config names"):
        for path in workflow.configfiles:
            check_keys(Path(path))
        settings = read_settings(config, os.environ)
        added_figures = {study.name: study.figures for study in settings.added}
        pictures = registry({**folders_in(HOME / "figures"), **added_figures})
        check_sources(settings, pictures)
        check_figures(settings.ledgers, HOME / "figures")
        check_results(Path(settings.results))
except UserError as error:
    raise WorkflowError(str(error))

RESULTS = settings.results


# With a limit of jobs per timespan, Snakemake looks for jobs after each timespan, once for every job that has ended: after
# 150 jobs, that takes a quarter of a core from the timed jobs. One machine does not need the limit.
onstart:
    if workflow.local_exec:
        if not hasattr(workflow.scheduler, "job_rate_limiter"):
            raise WorkflowError(
                str(lacks("snakemake", "its scheduler's job_rate_limiter"))
            )
        workflow.scheduler.job_rate_limiter = None


include: "workflows/keep.smk"
include: "workflows/common.smk"
include: "workflows/inputs.smk"
include: "workflows/experiments.smk"
include: "workflows/figures.smk"
include: "workflows/paper.smk"
include: "workflows/checks.smk"


rule all:
    default_target: True
    input:
        rules.paper.output,
        rules.appendix.output,
        rules.html_report.output,
        rules.verdicts.output,
        FIGURE_FILES,
        RESULT_FILES,
