"""The only package that observes the machine: clocks, contention, caches, threads."""
