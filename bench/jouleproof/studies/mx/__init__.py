"""MX number formats put to the test: what they store, what they lose, and what that does to real models."""
