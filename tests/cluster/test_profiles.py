"""The profiles for clusters: every job says what it needs, timed ones are alone, and no secret goes along."""

import re
from functools import cache
from importlib.util import find_spec

import pytest
from pydantic import BaseModel

from jouleproof.settings import Settings
from tests.cluster.jobs import EXPERIMENTS, profile, submitted
from tests.pipeline.conftest import ROOT, copy_project, snakemake

needs_plugin = pytest.mark.skipif(
    find_spec("snakemake_executor_plugin_cluster_generic") is None, reason="pip install -e '.[cluster]' was not done"
)
CLUSTERS = ("slurm", "kubernetes")
ALONE = {"slurm": "--exclusive", "kubernetes": "--alone"}


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory):
    """By profile, the jobs of a dry run as a user starts it: the full config, on nodes of 16 cores."""
    project = copy_project(tmp_path_factory.mktemp("profiles") / "project")

    @cache
    def of(name: str) -> dict[str, dict[str, str]]:
        done = snakemake(project, "--profile", f"profiles/{name}", "--cores", "16", "-n", "--quiet", "host")
        assert done.returncode == 0, done.stdout[-4000:]
        assert '"size": "full"' in (project / "results/config/run.json").read_text(encoding="utf-8")
        return submitted(done.stdout)

    return of


@needs_plugin
@pytest.mark.parametrize("name", CLUSTERS)
def test_every_job_of_the_full_config_says_its_memory_time_and_cores(jobs, name: str) -> None:
    needs = jobs(name)
    assert set(needs) >= {*EXPERIMENTS, "figure", "table", "verdicts", "paper"}
    for rule, of_rule in needs.items():
        assert int(of_rule["mem_mb"]) >= 1000 and int(of_rule["runtime"]) >= 10 and int(of_rule["threads"]) >= 1, rule


@needs_plugin
@pytest.mark.parametrize("name", CLUSTERS)
def test_timed_jobs_and_no_others_have_a_node_to_themselves(jobs, name: str) -> None:
    needs = jobs(name)
    alone = {rule for rule, of_rule in needs.items() if of_rule["alone"].strip()}
    assert alone == {rule for rule, experiment in EXPERIMENTS.items() if experiment.timed}
    assert all(needs[rule]["threads"] == "16" and needs[rule]["alone"].strip() == ALONE[name] for rule in alone)


@needs_plugin
def test_needs_and_groups_name_rules_that_exist(jobs) -> None:
    rules = set(jobs("slurm"))
    named = {*profile("default")["set-resources"], *profile("slurm")["groups"]}
    assert named <= rules
    assert profile("slurm")["groups"] == profile("kubernetes")["groups"]


def test_no_group_holds_a_timed_job() -> None:
    assert not {rule for rule in profile("slurm")["groups"] if rule in EXPERIMENTS and EXPERIMENTS[rule].timed}


def test_a_job_of_slurm_gets_named_variables_and_none_that_may_hold_a_secret() -> None:
    exported = re.findall(r"--export=(\S+)", profile("slurm")["cluster-generic-submit-cmd"])
    assert exported == ["PATH,HOME,LANG,PYTHONPATH"]


def test_no_workflow_and_no_profile_asks_for_variables_of_the_user() -> None:
    for path in (ROOT / "Snakefile", *(ROOT / "workflows").glob("*.smk")):
        assert not re.search(r"^\s*envvars\s*:", path.read_text(encoding="utf-8"), flags=re.MULTILINE), path
    assert not any("envvars" in profile(name) for name in ("default", *CLUSTERS))


def test_the_config_has_no_knob_for_a_secret() -> None:
    """And takes no knob that it does not know: what goes along on command lines holds none."""

    def knobs(model: type[BaseModel]) -> list[str]:
        assert model.model_config.get("extra") == "forbid", model
        inner = [field.annotation for field in model.model_fields.values()]
        below = [
            knob for part in inner if isinstance(part, type) and issubclass(part, BaseModel) for knob in knobs(part)
        ]
        return [*model.model_fields, *below]

    found = knobs(Settings)
    assert len(found) > 50
    assert not [knob for knob in found if re.search(r"secret|password|credential|api_?key|auth|(^|_)token$", knob)]
