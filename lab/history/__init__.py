"""Churn and faults on a lab that is up, a record of every address and MAC on its segments, and a checker of that record."""
