"""Example of every kind of object that a config can name, outside the project's code, as README and
docs/extending.md show.

config.yaml combines all of it in one run; tests/pipeline runs that.
"""
