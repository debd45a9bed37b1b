"""Preflight: checks all hosts before anything is installed on them, and reports all findings at once."""
