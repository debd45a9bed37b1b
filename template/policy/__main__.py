from pathlib import Path

from multus_site.policy.pack import run

run(Path(__file__).with_name("organisation.json"))
