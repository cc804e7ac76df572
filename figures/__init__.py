"""Pictures and tables from results: one file, one picture, named as the paper names it."""
