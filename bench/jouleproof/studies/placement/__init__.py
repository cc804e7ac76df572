"""Placement by power telemetry: what a profile of the power of workloads is worth, and what it gives away."""
