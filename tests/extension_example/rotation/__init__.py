"""A whole study: an experiment, its figure and its claim."""
