"""The built-in studies: every package here that declares a STUDY (jouleproof.study)."""
