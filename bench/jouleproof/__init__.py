"""Everything that produces a result: the libraries that all studies share, and the studies."""
