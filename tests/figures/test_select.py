import pandas as pd

from jouleproof.drawing.select import by_format_and_rule, deciding_cast, rules_of_all, under_one_rule, unique, where


def test_a_picture_shows_the_floor_rule_where_it_ran_and_what_no_rule_touches():
    table = pd.DataFrame({"scale": ["none", "ceil", "floor"], "value": [1.0, 2.0, 3.0]})
    assert under_one_rule(table)["value"].tolist() == [1.0, 3.0]


def test_a_picture_shows_the_first_rule_where_floor_did_not_run():
    table = pd.DataFrame({"scale": ["none", "rceil", "ceil"], "value": [1.0, 2.0, 3.0]})
    assert under_one_rule(table)["value"].tolist() == [1.0, 2.0]


def test_rules_of_all_are_those_that_every_format_was_cast_under():
    table = pd.DataFrame({"scale": ["none", "rceil", "floor", "floor", "rceil", "even"], "format": list("xabaaa")})
    assert rules_of_all(table) == ["floor"]
    both = pd.concat([table, pd.DataFrame({"scale": ["rceil"], "format": ["b"]})])
    assert rules_of_all(both) == ["rceil", "floor"]


def test_casts_come_by_format_then_by_rule():
    table = pd.DataFrame(
        {"format": ["mxfp4", "mxint8", "mxfp4", "mxfp4"], "scale": ["rceil", "floor", "floor", "floor"]}
    )
    assert by_format_and_rule(table) == [("mxint8", "floor"), ("mxfp4", "rceil"), ("mxfp4", "floor")]


def test_weights_that_were_rounded_before_decide_nothing():
    table = pd.DataFrame({"subject": ["none", "both", "activations", "weights"], "rounded": "Q4_1"})
    assert deciding_cast(table)["subject"].tolist() == ["activations"]
    assert deciding_cast(table.assign(rounded="no"))["subject"].tolist() == ["both"]
    assert deciding_cast(table[table["subject"] != "activations"])["subject"].tolist() == ["both"]


def test_rows_are_selected_by_one_level_or_by_any_of_several():
    table = pd.DataFrame({"format": list("abc"), "seed": [0, 1, 1], "value": [1.0, 2.0, 3.0]})
    assert where(table, seed=1)["value"].tolist() == [2.0, 3.0]
    assert where(table, seed=1, format=("a", "b"))["value"].tolist() == [2.0]
    assert where(table, format="ab").empty
    assert unique(table["seed"]) == [0, 1]
