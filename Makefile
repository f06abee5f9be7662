# Coffer's index: `make` or `make help` says what there is.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

MODULES  := proto pkg services/gateway services/api services/taskmanager services/guestagent services/coffer
PROGRAMS := coffer coffer-gateway coffer-api coffer-taskmanager coffer-guestagent
TOOLS    := bin/tools/golangci-lint bin/tools/buf

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
MODULE  := github.com/coffer-dbaas/coffer
LDFLAGS := -s -w -X $(MODULE)/pkg/version.Version=$(VERSION)

# Google's annotations, from a pinned module; no remote registry is asked.
GOOGLE_API := github.com/grpc-ecosystem/grpc-gateway@v1.16.0

# Database servers of another Debian release, beside this machine's: tests as root run them in this folder.
ifeq ($(shell id -u),0)
export COFFER_TEST_ENGINE_ROOT ?= $(CURDIR)/bin/engine-root/trixie
endif

PACKAGES := $(MODULES:%=./%/...)

# Tests that start databases wait for them most of the time: more of them run side by side than there are processors.
SIDE_BY_SIDE = $$(( 2 * $$(nproc) ))

# each runs a command in every module; $$m is the module's folder.
each = for m in $(MODULES); do echo "== $$m"; (cd $$m && $(1)); done

.PHONY: help
help: ## print this list
	@awk -F':.*## ' '/^[a-z][a-z\/-]*:.*## /{printf "  \033[1m%-20s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: deps build ## install what is missing, build, and start everything on this machine
	exec bin/coffer serve

.PHONY: build $(PROGRAMS)
build: $(PROGRAMS) ## build the five programs into bin/

$(PROGRAMS):
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/$@ ./services/$(patsubst coffer-%,%,$@)/cmd/$@

.PHONY: image image/clean
image: coffer-guestagent ## as root: build the guest image and its manifest into bin/image/
	deploy/image/build --agent bin/coffer-guestagent --version '$(VERSION)' --out bin/image

image/clean: ## remove the guest images that were built
	rm -rf bin/image

.PHONY: deps
deps: ## install the database servers and file system tools that are missing
	deploy/scripts/install-deps

.PHONY: deps/test
deps/test: ## install what is missing for the tests: the above, and the stock openstack client
	deploy/scripts/install-deps test

.PHONY: engine-root
engine-root: deps/test $(COFFER_TEST_ENGINE_ROOT) ## as root: make the root folder of another release's database servers, for the tests

$(COFFER_TEST_ENGINE_ROOT): | deps/test
	deploy/scripts/make-engine-root trixie $@

.PHONY: test
test: deps/test engine-root ## install what is missing and run every test; as root, those of the local provider also as another user
	go test -timeout 20m -p $(SIDE_BY_SIDE) $$(go list $(PACKAGES) | grep -vE '/(e2e|guestagent)$$')
	go test -timeout 20m -parallel $(SIDE_BY_SIDE) ./services/coffer/e2e ./services/guestagent
	deploy/scripts/test-unprivileged

.PHONY: test/unprivileged
test/unprivileged: deps/test ## as root: run the local provider's tests and the end-to-end ones as a user without rights
	deploy/scripts/test-unprivileged

.PHONY: test/short
test/short: deps engine-root ## run the tests of every module but the end-to-end ones
	go test -p $(SIDE_BY_SIDE) $$(go list $(PACKAGES) | grep -v '/e2e$$')

.PHONY: test/race
test/race: deps engine-root ## run the tests of every module but the end-to-end ones with the race detector (needs a C compiler)
	$(call each,CGO_ENABLED=1 go test -race $$(go list ./... | grep -v /e2e$$))

.PHONY: test/integration
test/integration: deps/test engine-root ## run the end-to-end tests alone
	go test -timeout 20m -count 1 -parallel $(SIDE_BY_SIDE) ./services/coffer/e2e

.PHONY: openstack-up openstack-down test-openstack
openstack-up: ## as root: bring up a real OpenStack on this machine, from Debian's packages, for tests
	deploy/openstack/up

openstack-down: ## stop it; its state stays (deploy/openstack/down --purge)
	deploy/openstack/down

test-openstack: build image engine-root ## run all that needs a running OpenStack: the provider, faults, the whole way with real guests
	deploy/openstack/test all

# How many walks test/random takes.
WALKS ?= 10

.PHONY: test/random
test/random: deps/test ## do what every run does in one fixed order in random ones; SEEDS="…" repeats those of a failure
	@seeds="$${SEEDS:-$$(shuf -i 1-4294967295 -n $(WALKS) | paste -sd ' ')}"; echo "SEEDS=\"$$seeds\""; \
	cd services/coffer && COFFER_E2E_SEEDS="$$seeds" \
		go test -timeout 60m -count 1 -run '^(TestASetStaysOne|TestKillingServeMidway)' ./e2e

.PHONY: bench
bench: deps ## measure against the same work done by hand, and write docs/performance.md
	cd services/gateway && go test -run '^$$' -bench . .
	cd services/coffer && COFFER_BENCH_REPORT=$(CURDIR)/docs/performance.md \
		go test -timeout 30m -count 1 -run '^$$' -bench . ./e2e/...

.PHONY: lint
lint: bin/tools/golangci-lint ## run the linters over every module
	$(call each,$(CURDIR)/bin/tools/golangci-lint run ./...)

.PHONY: fmt
fmt: bin/tools/golangci-lint ## format every module
	$(call each,$(CURDIR)/bin/tools/golangci-lint fmt ./...)

.PHONY: generate
generate: $(TOOLS) .third_party/proto ## generate Go and OpenAPI from the protos
	bin/tools/buf generate

.PHONY: tidy
tidy: ## tidy every go.mod (-e: a test of a dependency asks for what cannot be had)
	$(call each,GOWORK=off go mod tidy -e)

.PHONY: verify verify/generate verify/tidy verify/alone verify/deps verify/proto verify/versions
verify: verify/versions verify/deps verify/proto verify/generate verify/tidy verify/alone ## check what reviewers should not have to

verify/generate: generate ## generated code is what the protos say
	@test -z "$$(git status --porcelain -- proto/gen)" || \
		{ git --no-pager diff --stat -- proto/gen; echo "proto/gen is stale: run make generate and commit it"; exit 1; }

# go.sum is left out: what a test of a dependency asks for can be had on one day and not on another. What is missing in it
# verify/alone finds.
verify/tidy: ## every go.mod is tidy
	$(call each,{ GOWORK=off go mod tidy -e -diff || true; } | awk '/^diff /{mod = /go.mod$$/} mod{print; found = 1} END{exit found}')

verify/alone: ## every module builds without the workspace: that is what ships
	$(call each,GOWORK=off go build ./...)

verify/deps: ## no program links what its room may not import
	deploy/scripts/verify-imports

verify/proto: bin/tools/buf .third_party/proto ## protos are clean, and break nothing since the last release
	bin/tools/buf lint
	@tag=$$(git describe --tags --abbrev=0 2>/dev/null || true); \
	if [[ -n $$tag ]]; then bin/tools/buf breaking --against ".git#tag=$$tag"; \
	else echo "no release yet: nothing to break"; fi

verify/versions: ## every go.mod asks for the same Go
	@grep -h '^go ' go.work $(MODULES:%=%/go.mod) | sort | uniq -c | \
		awk 'NR > 1 {print "go.work and go.mod files differ in their go version"; exit 1}'

.PHONY: vuln
vuln: ## look for known vulnerabilities in what each module ships (needs the network)
	$(call each,GOWORK=off go run golang.org/x/vuln/cmd/govulncheck@latest ./... || \
		{ echo "govulncheck could not be run for $$m: see above"; exit 1; })

.PHONY: pre-commit
pre-commit: generate fmt lint test/short verify ## all that a commit should pass; deploy/githooks calls it

.PHONY: clean
clean: ## remove what was built
	rm -rf bin .third_party

# Tools are pinned in modules of their own, so that what they require never raises a version of ours.
bin/tools/golangci-lint: deploy/tools/go.mod deploy/tools/go.sum
	GOBIN=$(CURDIR)/bin/tools GOWORK=off go -C deploy/tools install tool
	@touch $@

bin/tools/buf: deploy/tools/buf/go.mod deploy/tools/buf/go.sum
	GOBIN=$(CURDIR)/bin/tools GOWORK=off go -C deploy/tools/buf install tool
	@touch $@

.third_party/proto: Makefile
	@folder=$$(GOWORK=off go mod download -json $(GOOGLE_API) | sed -n 's/.*"Dir": "\(.*\)".*/\1/p'); \
	rm -rf $@; mkdir -p $@/google/api; \
	install -m 0644 "$$folder"/third_party/googleapis/google/api/{annotations,http}.proto $@/google/api/
