"""Searches for the highest load, with the study's knobs."""

from jouleproof.serving.simulator.capacity import CapacitySearch
from jouleproof.serving.simulator.evaluation import Setup, Workload
from jouleproof.studies.phase_split.config import PhaseSplitConfig


def capacity_search(
    config: PhaseSplitConfig, workload: Workload, setup: Setup, service: str, precision: float | None = None
) -> CapacitySearch:
    """Create a search with the study's knobs. precision: of a load, relative; by default `capacity.precision`."""
    settings = config.capacity
    return CapacitySearch(
        workload,
        setup,
        service,
        precision=precision or settings.precision,
        search_seed=settings.search_seed,
        search_precision=settings.search_precision,
        pool_step=settings.pool_step,
    )
