"""The experiments on a small hall: what their tables guarantee, and user-defined objects in them."""

import pytest

from jouleproof.errors import UserError
from jouleproof.settings import read_settings
from jouleproof.studies.placement.experiments.hosting import frontier, hosting, predictability
from jouleproof.studies.placement.experiments.oversubscription import oversubscription
from jouleproof.studies.placement.experiments.policies import bounds, policies
from jouleproof.studies.placement.experiments.precision import precision, sensed
from jouleproof.studies.placement.experiments.prediction import prediction
from jouleproof.studies.placement.experiments.processors import processors
from jouleproof.studies.placement.experiments.scale import scale
from jouleproof.studies.placement.experiments.transfer import transfer
from jouleproof.studies.placement.profiles import Information
from jouleproof.studies.placement.scenario import offered
from tests.placement.small import CONFIG, power_trace

HERE = "tests.extension_example.placement"
DEAF = Information(lambda readings: readings, "takes no fleet")


def changed(config=CONFIG, **sections):
    """Return the config with some knobs of some sections changed."""
    updates = {name: getattr(config, name).model_copy(update=knobs) for name, knobs in sections.items()}
    return config.model_copy(update=updates)


OWN = changed(
    hosting={"rows": [10], "information": ["mean", f"{HERE}:MEDIAN"], "rules": ["best_fit", f"{HERE}:FLAT"]},
    frontier={"information": [f"{HERE}:MEDIAN"], "margins": [1.0]},
    transfer={"information": [f"{HERE}:MEDIAN"]},
    predictability={"information": [f"{HERE}:MEDIAN"], "predictable": [1.0]},
    prediction={"predictors": ["fleet_mean", f"{HERE}:largest"], "level_errors": [], "phase_errors_h": []},
    leakage={"releases": ["nothing", f"{HERE}:WHOLE_KW"], "attacked": 40},
    sensors={"sensors": ["ideal", f"{HERE}:SLOW"], "workloads": 1, "days": [7]},
    oversubscription={
        "controllers": [f"{HERE}:HALF"],
        "servers": 6,
        "added": [0.0, 0.5],
        "days": 1,
        "headrooms": [0.05],
    },
    policies={"policies": [f"{HERE}:MINE"], "controller": f"{HERE}:HALF"},
    bounds={"cases": [(2, 5)], "seeds": 2},
)


@pytest.fixture
def leakage():
    """Return the experiment, whose attackers import scikit-learn."""
    from jouleproof.studies.placement.experiments.leakage import leakage

    return leakage


@pytest.fixture(scope="module")
def hosted():
    return hosting(CONFIG)


def test_every_cell_of_rule_and_information_is_there_for_both_arrivals(hosted):
    work = hosted[(hosted["metric"] == "work") & (hosted["row"] == 10)]
    cells = work.groupby("arrivals").apply(lambda rows: set(zip(rows["rule"], rows["information"], strict=True)))
    wanted = {(rule, name) for rule in CONFIG.hosting.rules for name in CONFIG.hosting.information}
    for hosted_cells in cells:
        assert hosted_cells == {*wanted, ("best_fit", "plain"), ("asynchrony", "oracle")}


def test_the_oracle_keeps_the_risk_and_nameplates_run_none(hosted):
    risk = hosted[hosted["metric"] == "risk"].set_index("information")["value"]
    assert (risk["oracle"] <= CONFIG.hosting.risk).all() and (risk["plain"] == 0).all()


def test_ratios_are_of_cells_of_the_same_fleet(hosted):
    keys = ["arrivals", "row", "rule", "information", "seed"]
    work = hosted[hosted["metric"] == "work"].set_index(keys)["value"].sort_index()
    for metric, other in (("over_mean", "mean"), ("over_nameplate", "nameplate")):
        for index, value in hosted[hosted["metric"] == metric].set_index(keys)["value"].items():
            arrivals, row, rule, _, seed = index
            assert value == pytest.approx(work[index] / work[arrivals, row, rule, other, seed])


def test_at_one_risk_run_nobody_is_over_it(hosted):
    table = frontier(changed(frontier={"margins": [1.0]}))
    risk = table[table["metric"] == "risk"].groupby("information")["value"].mean()
    assert (risk <= CONFIG.hosting.risk).all()
    level = hosted[(hosted["metric"] == "level_over_mean") & (hosted["information"] == "mean")]
    assert (level["value"] == 1.0).all() and set(level["rule"]) == {"best_fit", "asynchrony"}
    fit = hosted[(hosted["metric"] == "level_over_best_fit") & (hosted["rule"] == "best_fit")]
    assert len(fit) and (fit["value"] == 1.0).all()


def test_the_release_that_is_judged_keeps_what_is_asked_in_the_other_fleets(leakage):
    table = leakage(changed(leakage={"releases": ["nothing", "mean"], "attacked": 40, "kept": 0.01}))
    judged = table[table["metric"] == "gain_of_most_private"]
    assert set(judged["release"]) == {"told by the others: nothing"} and (judged["value"] <= 0).all()
    assert table[table["metric"] == "kept"]["value"].tolist() == [0.01]


def test_the_same_config_gives_the_same_table(hosted):
    assert hosting(CONFIG).equals(hosted)


def test_everything_of_a_researchers_own_is_found_by_name(leakage):
    trace = power_trace()
    assert {"MEDIAN"} <= set(hosting(OWN)["information"]) and {"FLAT"} <= set(hosting(OWN)["rule"])
    assert set(frontier(OWN)["information"]) == set(transfer(OWN)["information"]) == {"MEDIAN"}
    assert set(predictability(OWN)["information"]) == {"mean", "MEDIAN"}
    assert set(prediction(OWN)["predictor"]) == {"fleet_mean", "largest"}
    assert {"WHOLE_KW"} <= set(leakage(OWN)["release"])
    assert set(sensed(OWN, trace)["sensor"]) == {"ideal", "SLOW"}
    assert set(oversubscription(OWN, trace)["controller"]) == {"HALF"}
    assert {"MINE"} <= set(policies(OWN, trace)["policy"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hosting": {"information": ["magic"]}}, "information 'magic' is not known; built in: nameplate"),
        (
            {"hosting": {"information": [f"{__name__}:DEAF"]}},
            r"information '.*:DEAF': of cannot be called as \(readings, fleet\)",
        ),
        ({"hosting": {"rules": [f"{HERE}:MEDIAN"]}}, "is a Information, not a jouleproof.studies.placement"),
        ({"prediction": {"predictors": [f"{HERE}:FLAT"]}}, "placement.prediction.predictors: .* is a Rule, not"),
        ({"sensors": {"sensors": ["tests.placement.nowhere:X"]}}, "cannot be loaded"),
        ({"policies": {"controller": "magic"}}, "controller 'magic' is not known"),
        ({"fleet": {"trace": "nowhere.csv"}}, "nowhere.csv is not a file"),
        ({"fleet": {"trace": f"{HERE}:NOWHERE"}}, "cannot be loaded"),
        ({"reality": {"google": ["nowhere.csv.gz"]}}, "nowhere.csv.gz is not a file"),
    ],
)
def test_a_name_that_stands_for_nothing_is_one_line(change, message):
    with pytest.raises(UserError, match=message) as caught:
        read_settings({"size": "mine", "placement": change}, {})
    assert "\n" not in str(caught.value)


def test_a_fleet_of_a_researchers_own_enters_every_experiment_that_places(leakage):
    config = changed(
        OWN,
        fleet={"servers": 4, "trace": f"{HERE}:fleet"},
        hosting={"row": 4, "rows": [4]},
        transfer={"row": 4},
        precision={"windows_s": [2, 300], "rows": [4], "domains": 1},
        leakage={"attacked": 20},
    )
    trace = power_trace()
    workloads = offered(config.fleet, 0)
    assert workloads.count == 22 and set(workloads.kinds) == {"training", "web"} and 0 < workloads.critical.sum() < 22
    for experiment in (hosting, frontier, transfer, prediction, leakage, processors):
        assert len(experiment(config))
    assert len(policies(config, trace)) and len(precision(config, trace))
    other = config.model_copy(update={"fleet": config.fleet.generated(1.0)})
    assert not hosting(config).equals(hosting(other)) and predictability(config).equals(predictability(other))


def test_rows_under_a_controller_slow_low_priority_first_and_those_of_nameplates_not_at_all():
    table = policies(CONFIG, power_trace()).groupby(["policy", "metric"])["value"].mean()
    slowed = ("brakes", "low_slowed", "high_slowed")
    assert all(table["nameplate", metric] == 0 for metric in slowed)
    assert 0 < table["profile", "high_slowed"] < table["profile", "low_slowed"]


def test_each_level_sees_its_budget_and_a_hall_less_of_one_than_its_rows():
    table = precision(changed(precision={"windows_s": [2, 300], "rows": [10], "domains": 1}), power_trace())
    budget = table[table["metric"] == "level_budget"].groupby("level")["value"].mean()
    assert budget.to_dict() == pytest.approx(
        {"chip": 700.0, "server": 10_200.0, "rack": 1.25 * 51_000, "row": 102_000.0, "hall": 204_000.0}
    )
    summed = table[table["metric"] == "level_of_parts"].groupby("level")["value"].mean()
    assert set(summed.index) == {"rack", "row", "hall"} and (summed <= 1 + 1e-9).all()
    peak = table[table["metric"] == "level_peak"].groupby("level")["value"].mean()
    assert peak["hall"] < peak["row"] and peak["server"] <= 0.85 + 1e-9 and peak["chip"] <= 1 + 1e-9
    seen = table[(table["metric"] == "level_seen") & (table["window_s"] == 300)].groupby("level")["value"].mean()
    assert seen["chip"] < seen["server"] < seen["hall"]


def test_rules_are_never_better_than_the_best_there_is():
    table = bounds(OWN)
    assert (table[table["metric"] == "over_least"]["value"] >= 1 - 2e-3).all()


def test_choosing_by_profile_saves_energy_and_hosts_the_same():
    table = processors(CONFIG).groupby(["chosen", "metric"])["value"].mean()
    assert table["server alone", "joules_per_work"] == 1.0
    assert table["both", "joules_per_work"] < table["processor", "joules_per_work"] < 1.0


def test_more_servers_never_brake_less_and_the_most_that_were_added_is_one_that_was_tried():
    table = oversubscription(OWN, power_trace())
    brakes = table[table["metric"] == "brakes_per_day"].groupby("added")["value"].mean()
    assert brakes[0.0] <= brakes[0.5]
    assert set(table[table["metric"] == "most_added"]["value"]) <= {0.0, 0.5}
    slowed = table[table["metric"] == "low_slowed"].set_index(["latency", "added"])["value"]
    minutes = table[table["metric"] == "low_slowed_per_day"].set_index(["latency", "added"])["value"]
    assert (minutes - 1440 * slowed).abs().max() < 1e-9


def test_longer_windows_see_less_of_a_peak():
    small = changed(precision={"windows_s": [2, 300], "rows": [4], "domains": 1})
    table = precision(small, power_trace()).groupby("window_s")["value"].mean()
    assert table[2] == 1.0 and 0.5 < table[300] < 1.0


def test_speed_is_measured_for_every_case():
    table = scale(changed(scale={"instances": [50], "repeats": 2}), power_trace())
    assert (table["value"] > 0).all() and set(table["tier"]) == {"measured"} and table["what"].nunique() == 4
