"""`python -m topology`, as 0.1.0 and 0.2.0 recorded it in the state of stacks: runs `python -m multus_site.nodes.topology`. 0.5 removes this file."""

import runpy

if __name__ == "__main__":
    runpy.run_module("multus_site.nodes.topology", run_name="__main__")
