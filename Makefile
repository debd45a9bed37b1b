# What people type. `make lab` needs root on Debian 12 (or alike); the rest runs anywhere.
.PHONY: lab lab-shell lab-day-two lab-networks lab-vm lab-down test lint docs playground bench clean

lab: ## the whole story on this machine
	@lab/bootstrap.sh python -m lab up

lab-shell: ## a shell with kubectl and pulumi pointing at the lab
	@lab/bootstrap.sh python -m lab shell

lab-day-two: ## grow, shrink, upgrade, break and mend the cluster and machines of a lab that is up; half an hour
	@lab/bootstrap.sh python -m pytest -m day_two -x -s tests/day_two

lab-networks: ## every network that this kernel can make, at once, on a lab that is up
	@lab/bootstrap.sh python -m pytest -m networks -x -s tests/lab/test_networks.py tests/lab/test_multus_cases.py tests/lab/test_networks_gone.py

lab-vm: ## what this kernel lacks, in a VM under software emulation: plugins, VLANs, bonds, machines of libvirt; the lab need not be up
	@lab/bootstrap.sh --plain python -m pytest -m vm -s tests/vm

lab-down: ## everything of the lab but its cache goes
	@lab/bootstrap.sh python -m lab down

test: ## all tests; those of the lab where it can run
	@lab/bootstrap.sh --tests python -m lab test

lint: ## ruff, mypy, arrows between packages, shellcheck
	@lab/bootstrap.sh --plain sh -c 'ruff check . && ruff format --check . && mypy . && lint-imports --no-cache && shellcheck -s sh $$(git ls-files "*.sh")'

docs: ## the generated parts of the pages in docs/, and the schema of a site
	@lab/bootstrap.sh --plain sh -c 'python -m docs.generate && python -m multus_site schema -o stacks/site.schema.json'

playground: ## a page that lints what is pasted into it, without a server; needs npm
	@lab/bootstrap.sh --plain python -m docs.playground.build

bench: ## times of the last runs; how plan, plugins on nodes and addresses grow; what the linter takes, and a preview
	@lab/bootstrap.sh --plain sh -c "python -m lab bench && python -m tests.bench.growth && python -m tests.bench.distribution && python -m tests.bench.lint && python -m tests.bench.addresses && python -m tests.bench.preview"

clean: ## what can be made again: caches of tools, and the lab's cache folder
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@rm -rf "$${MULTUS_SITE_CACHE:-$$HOME/.cache/multus-site}"
