"""`python -m cli adopt`: the site file that would make the networks that are there already."""


def adopt() -> None:
    """x."""
