"""A small serving engine: processes that hold one language model, a router in front of them, caches that move."""
