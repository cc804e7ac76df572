"""The only room that looks at the machine: clocks, contention, provenance."""
