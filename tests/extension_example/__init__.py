"""What README and docs/extending.md show: one of everything that a config can name, outside of the project's code.

config.yaml puts all of it into one run; tests/pipeline runs that.
"""
