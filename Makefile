# The commands for people. `make lab` needs root on Debian 12 or similar; the others run anywhere.
.PHONY: lab lab-shell lab-day-two lab-networks lab-history lab-faults lab-vm lab-down test lint docs playground bench clean

lab: ## bring up the lab: from bare nodes to verified pods on this machine
	@lab/bootstrap.sh python -m lab up

lab-shell: ## open a shell with kubectl and pulumi set up for the lab
	@lab/bootstrap.sh python -m lab shell

lab-day-two: ## grow, shrink, upgrade, break and repair the cluster and machines of a running lab; takes half an hour
	@lab/bootstrap.sh python -m pytest -m day_two -x -s tests/day_two

lab-networks: ## every network that this kernel can create, at once, on a running lab
	@lab/bootstrap.sh python -m pytest -m networks -x -s tests/lab/test_networks.py tests/lab/test_multus_cases.py tests/lab/test_networks_gone.py

lab-history: ## churn and faults on a running lab, with the history of every address and MAC checked; SEED=1,2 MINUTES=5
	@lab/bootstrap.sh python -m lab.history --seed "$${SEED:-1}" --minutes "$${MINUTES:-5}"

lab-faults: ## the fault campaign on a running lab; writes the table in docs/verification.md; ONLY=name,name
	@lab/bootstrap.sh python -m lab.faults --only "$${ONLY:-}"

lab-vm: ## what this kernel lacks, in an emulated VM: plugins, VLANs, bonds, machines of libvirt; needs no lab
	@lab/bootstrap.sh --plain python -m pytest -m vm -s tests/vm

lab-down: ## remove the lab; keep its cache
	@lab/bootstrap.sh python -m lab down

test: ## all tests, with those of the lab if it can run here
	@lab/bootstrap.sh --tests python -m lab test

lint: ## ruff, mypy, arrows between packages, shellcheck
	@lab/bootstrap.sh --plain sh -c 'ruff check . && ruff format --check . && mypy . && lint-imports --no-cache && shellcheck -s sh $$(git ls-files "*.sh")'

docs: ## regenerate the tables in docs/ and the schema of a site
	@lab/bootstrap.sh --plain sh -c 'python -m docs.generate && python -m multus_site schema -o stacks/site.schema.json'

playground: ## a page that lints what is pasted into it, without a server; needs npm
	@lab/bootstrap.sh --plain python -m docs.playground.build

bench: ## times of the last runs; how long plans, plugins, addresses, the linter and previews take for larger sites; how right the linter is
	@lab/bootstrap.sh --plain sh -c "python -m lab bench && python -m tests.bench.growth && python -m tests.bench.distribution && python -m tests.bench.lint && python -m tests.bench.verdicts && python -m tests.bench.addresses && python -m tests.bench.preview"

clean: ## remove the caches of tools, and the lab's cache folder
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@rm -rf "$${MULTUS_SITE_CACHE:-$$HOME/.cache/multus-site}"
