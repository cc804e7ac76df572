"""Micro-benchmarks for pytest-benchmark; the experiment `throughput` runs them, `pytest` alone does not."""
