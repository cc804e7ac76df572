"""Figures and tables of the study of phase splitting."""
