"""The meter audit: values cited where a tool is not installed, values measured where it is, and none without a
counter."""

import os

import psutil
import pytest

from jouleproof.errors import UserError
from jouleproof.evidence.tables import CITED, MEASURED, SIMULATED
from jouleproof.power import meters
from jouleproof.settings import read_settings
from jouleproof.studies.slm_energy.config import SlmEnergyConfig
from jouleproof.studies.slm_energy.experiments import meter_audit as experiment
from jouleproof.studies.slm_energy.experiments.meter_audit import (
    ALONE,
    BESIDE,
    NOT_INSTALLED,
    Tool,
    meter_audit,
    neighbours,
)
from tests.pictures import picture


@pytest.fixture
def audited(monkeypatch):
    """Return a function that maps tools and the name of a meter to the table, without neighbours."""
    monkeypatch.setattr(meters, "_opened", {})
    monkeypatch.setattr(experiment, "neighbours", lambda count: neighbours(0))

    def audited(tools, meter="none"):
        monkeypatch.setattr(experiment, "TOOLS", tools)
        config = SlmEnergyConfig.model_validate({"meters": {"meter": meter, "steps": 4, "repeats": 2}})
        return meter_audit(config)

    return audited


def joules_of(value):
    def joules(work):
        work()
        return value

    return joules


ABSENT = Tool("codecarbon", "machine", joules_of(1.0))
HERE = Tool("torch", "made up", joules_of(0.0))  # any package that is installed


@pytest.fixture
def without_tools(monkeypatch):
    original = experiment.importlib.util.find_spec
    monkeypatch.setattr(
        experiment.importlib.util, "find_spec", lambda name: None if name == "codecarbon" else original(name)
    )


@pytest.mark.usefixtures("without_tools")
def test_a_tool_that_is_not_installed_is_cited_and_says_so(audited):
    table = audited((ABSENT,))
    rows = table[table["tool"] == "codecarbon"]
    assert set(rows["state"]) == {NOT_INSTALLED}
    assert list(rows.loc[rows["metric"] == "installed", "value"]) == [0.0]
    cited = rows[rows["metric"] == "power"]
    assert set(cited["tier"]) == {CITED} and set(cited["version"]) == {"3.3.2"}
    assert set(zip(cited["workload"], cited["neighbours"], strict=True)) == {
        (workload, where) for workload in ("busy", "asleep") for where in (ALONE, BESIDE)
    }


@pytest.mark.usefixtures("without_tools")
def test_a_tool_that_is_installed_ran_and_its_0_is_kept_as_what_it_said(audited):
    rows = audited((HERE,)).query("tool == 'torch' and workload != ''")
    assert (set(rows["tier"]), set(rows["state"]), set(rows["value"])) == ({MEASURED}, {"ran here"}, {0.0})
    assert len(rows) == 2 * 2 * 2 * 2  # surroundings, repeats, workloads, metrics


@pytest.mark.usefixtures("without_tools")
def test_without_a_counter_this_project_gives_seconds_and_a_range_but_no_joules(audited):
    rows = audited((HERE,)).query("tool == 'jouleproof'")
    assert set(rows.loc[rows["mode"] == "counters", "unit"]) == {"s"}
    model = rows[rows["mode"] == "model"]
    assert set(model["tier"]) == {SIMULATED}
    wide = model.groupby(["workload", "neighbours", "repeat", "metric"])["value"].first().unstack()
    assert (wide["power_low"] <= wide["power"]).all() and (wide["power"] <= wide["power_high"]).all()


@pytest.mark.usefixtures("without_tools")
def test_a_meter_of_the_users_own_is_in_the_table(audited):
    meters._opened.clear()
    table = audited((HERE,), "tests.extension_example.meter:PLUG")
    rows = table[(table["tool"] == "jouleproof") & (table["mode"] == "plug")]
    assert set(rows.loc[rows["metric"] == "energy", "tier"]) == {MEASURED}
    assert "plug ●" in set(picture("slm_energy/meter_numbers").tabulate(table)["mode"])


def test_a_meter_that_is_not_known_is_found_before_any_job_starts():
    with pytest.raises(UserError, match="slm_energy.meters.meter: meter 'wattmeter' is not known"):
        read_settings({"size": "mine", "slm_energy": {"meters": {"meter": "wattmeter"}}}, {})


def test_the_work_is_the_same_every_time():
    assert experiment.products(5) == experiment.products(5)


def test_neighbours_are_nobodys_children_and_end():
    with neighbours(1):
        mine = [experiment.BURN, str(os.getpid())]
        [process] = [
            candidate for candidate in psutil.process_iter(["cmdline"]) if (candidate.info["cmdline"] or [])[2:] == mine
        ]
        assert process not in psutil.Process().children(recursive=True)
        assert process.cpu_percent(0.3) > 10
    process.wait(5)


def test_the_facts_are_of_the_tools_that_are_known():
    facts = experiment.pd.read_csv(experiment.FACTS, comment="#")
    assert set(zip(facts["tool"], facts["mode"], strict=True)) == {
        (tool.package, tool.mode) for tool in experiment.TOOLS
    }
    assert not facts.isna().any().any() and facts["power_w"].between(0, 200).all()
