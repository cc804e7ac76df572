"""Small against large language models: what an answer costs, how often it is right, and what was published."""
