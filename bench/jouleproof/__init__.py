"""Everything that produces a result: a ground floor that every study stands on, and the studies."""
