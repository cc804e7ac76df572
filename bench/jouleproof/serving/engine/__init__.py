"""A small serving engine: worker processes with one language model, a router, and transfers of KV caches."""
