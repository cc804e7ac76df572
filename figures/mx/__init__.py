"""Figures and tables of the study of MX number formats."""
