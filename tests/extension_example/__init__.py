"""Example of every kind of object that a config can name, outside of the project's code, as README and
docs/extending.md show it.

config.yaml combines all of it in one run; tests/pipeline runs that.
"""
