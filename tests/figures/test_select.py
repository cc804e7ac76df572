import pandas as pd

from figures.select import under_one_rule


def test_a_picture_shows_the_floor_rule_where_it_ran_and_what_no_rule_touches():
    table = pd.DataFrame({"scale": ["none", "ceil", "floor"], "value": [1.0, 2.0, 3.0]})
    assert under_one_rule(table)["value"].tolist() == [1.0, 3.0]


def test_a_picture_shows_the_first_rule_where_floor_did_not_run():
    table = pd.DataFrame({"scale": ["none", "rceil", "ceil"], "value": [1.0, 2.0, 3.0]})
    assert under_one_rule(table)["value"].tolist() == [1.0, 2.0]
