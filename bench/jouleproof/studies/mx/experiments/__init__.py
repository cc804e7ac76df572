"""One function per experiment: config and inputs in, tidy table out."""
