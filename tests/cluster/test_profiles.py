"""The profiles for clusters: every job states its needs, timed jobs run alone, and no secret is passed on."""

import re
from dataclasses import fields
from importlib.util import find_spec

import pytest
from pydantic import BaseModel

from jouleproof.errors import UserError
from jouleproof.settings import Settings, read_settings
from jouleproof.study import built_in_studies
from tests.cluster.jobs import experiments, profile, submitted
from tests.pipeline.conftest import ROOT, snakemake

CLUSTERS = ("slurm", "kubernetes")
ALONE = {"slurm": "--exclusive", "kubernetes": "--alone"}
WITH_PLUGIN = pytest.mark.skipif(
    find_spec("snakemake_executor_plugin_cluster_generic") is None, reason="pip install -e '.[cluster]' was not done"
)
FOR_A_CLUSTER = ("cluster-generic-submit-cmd", "cluster-generic-status-cmd", "cluster-generic-cancel-cmd")


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("slurm", marks=[pytest.mark.pipeline, WITH_PLUGIN]),
        # differs from Slurm's in only one option, so only the long tests examine it
        pytest.param("kubernetes", marks=[pytest.mark.pipeline, pytest.mark.long, WITH_PLUGIN]),
    ],
)
def name(request: pytest.FixtureRequest) -> str:
    """Return the name of a profile."""
    return request.param


@pytest.fixture(scope="module")
def needs(name: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """Return the jobs of a dry run as a user starts it: the full config, on nodes of 16 cores."""
    options = ("--profile", str(ROOT / "profiles" / name), "--cores", "16", "-n", "-p", "--quiet", "host")
    done = snakemake(tmp_path_factory.mktemp(name), *options)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "jouleproof claims judge" in done.stdout and "--size full" in done.stdout
    return submitted(done.stdout)


def test_every_job_of_the_full_config_says_its_memory_time_and_cores(needs) -> None:
    assert set(needs) >= {*experiments(), "draw_mx_qsnr", "verdicts", "verdict_pages", "paper", "appendix"}
    assert any(rule.startswith("slm_energy_train_") for rule in needs)
    for rule, of_rule in needs.items():
        assert int(of_rule["mem_mb"]) >= 1000 and int(of_rule["runtime"]) >= 10 and int(of_rule["threads"]) >= 1, rule


def test_jobs_ask_for_what_their_experiment_declares(needs, name: str) -> None:
    usual = profile(name)["default-resources"]
    for rule, experiment in experiments().items():
        for resource in ("runtime", "mem_mb"):
            assert int(needs[rule][resource]) == experiment.resources.get(resource, usual[resource]), rule


def test_timed_jobs_and_no_others_have_a_node_to_themselves(needs, name: str) -> None:
    alone = {rule for rule, of_rule in needs.items() if of_rule["alone"].strip()}
    assert alone == {rule for rule, experiment in experiments().items() if experiment.timed}
    assert all(needs[rule]["threads"] == "16" and needs[rule]["alone"].strip() == ALONE[name] for rule in alone)


def test_a_profile_names_rules_that_exist(needs, name: str) -> None:
    assert set(profile(name).get("groups", {})) <= set(needs)


def test_profiles_try_a_job_twice_and_differ_in_what_talks_to_a_cluster_alone() -> None:
    common = []
    for name in CLUSTERS:
        values = profile(name)
        assert ALONE[name] in values["default-resources"].pop("alone")
        assert all(values.pop(key) for key in FOR_A_CLUSTER)
        assert values["retries"] == 1
        common.append(values)
    assert common[0] == common[1]


def test_no_job_is_shared_by_a_timed_experiment_or_by_one_that_waits_for_a_table() -> None:
    """A group that waits for a table made by a job outside it could wait for itself."""
    groups = profile("slurm").get("groups", {})
    shared = {rule for rule, experiment in experiments().items() if rule in groups}
    assert shared <= {
        rule
        for rule, experiment in experiments().items()
        if experiment.group == "small" and not experiment.timed and not experiment.results
    }
    assert not [rule for rule, experiment in experiments().items() if experiment.group and experiment.timed]


def test_a_job_of_slurm_gets_named_variables_and_none_that_may_hold_a_secret() -> None:
    exported = re.findall(r"--export=(\S+)", profile("slurm")["cluster-generic-submit-cmd"])
    assert exported == ["PATH,HOME,LANG,PYTHONPATH"]


def test_no_workflow_and_no_profile_asks_for_variables_of_the_user() -> None:
    for path in (ROOT / "Snakefile", *(ROOT / "workflows").glob("*.smk")):
        assert not re.search(r"^\s*envvars\s*:", path.read_text(encoding="utf-8"), flags=re.MULTILINE), path
    assert not any("envvars" in profile(name) for name in ("default", *CLUSTERS))


def test_the_config_has_no_knob_for_a_secret() -> None:
    """The config also rejects unknown knobs, so that what is passed on command lines holds no secret."""

    def knobs(model: type[BaseModel]) -> list[str]:
        assert model.model_config.get("extra") == "forbid", model
        inner = [field.annotation for field in model.model_fields.values()]
        below = [
            knob for part in inner if isinstance(part, type) and issubclass(part, BaseModel) for knob in knobs(part)
        ]
        return [*model.model_fields, *below]

    names = [field.name for field in fields(Settings)]
    for study in built_in_studies():
        names += [study.name, *knobs(study.config)]
    assert len(names) > 50
    assert not [knob for knob in names if re.search(r"secret|password|credential|api_?key|auth|(^|_)token$", knob)]
    with pytest.raises(UserError, match="api_token: no such knob"):
        read_settings({"size": "own", "api_token": "hidden-words"}, {})
