"""The experiments, one function each: they take a config and inputs, and return a tidy table."""
