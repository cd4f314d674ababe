# Everything starts here; each target first gets what it needs and finds it the second time.
with-node = scripts/with-node
node = $(with-node) node --disable-warning=ExperimentalWarning

.PHONY: help run test check bench crds image clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile

run: ## Try Cairn on this machine: on its own APT sources, or without apt on an archive made on the spot
	@scripts/setup
	@./cairn run --demo

test: ## Check the formatting and the types, and run every test
	@scripts/setup-test
	@$(with-node) npm run --silent check

check: ## Check the formatting and the types only
	@scripts/setup --dev
	@$(with-node) npm run --silent check:static

bench: ## Measure Cairn beside aptly, debmirror and apt-mirror; options go into ARGS
	@scripts/setup-bench
	@$(node) bench/main.ts $(ARGS)

crds: ## Write crds/*.yaml again from the kinds in crds/*.ts
	@scripts/setup --dev
	@$(with-node) npm run --silent crds

image: ## Build the container image into .cache/cairn-image.tar, and test it; as root where no Docker runs
	@scripts/with-docker sh -c 'scripts/build-image --output .cache/cairn-image.tar $(ARGS) && scripts/test-image'

clean: ## Remove all that was fetched or made: node_modules and .cache
	rm -rf node_modules .cache
