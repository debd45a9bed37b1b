"""`python -m kubespray`, as 0.1.0 and 0.2.0 recorded it in the state of stacks: runs `python -m multus_site.kubespray`. 0.5 removes this file."""

import runpy

if __name__ == "__main__":
    runpy.run_module("multus_site.kubespray", run_name="__main__")
