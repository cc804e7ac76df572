"""Settings under which the tests draw figures."""

from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt

from jouleproof.drawing import style
from jouleproof.evidence import intervals

HOSTILE = Path(__file__).with_name("hostile.matplotlibrc")


@pytest.fixture(scope="module", autouse=True)
def projects_style():
    """Use the project's style and few resamples, and leave no figure open."""
    mpl.use("agg")
    with mpl.rc_context(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(intervals, "RESAMPLES", 99)
        style.use_style()
        mpl.rcParams["figure.max_open_warning"] = 0
        yield
    plt.close("all")
