# Everything one does here. `make check` is what CI runs.
# T: which packages to test, as in `make test T=./internal/org`. PORT: the demo's, as in `make run PORT=9000`.
# ONLY: what to measure, as in `make bench ONLY=import,export`.
T       ?= ./...
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
DEMO    := go run ./cmd/demo
TOOL    := go tool -modfile=tools/go.mod
# Two packages with four tests each keep a small machine busy and the server under its limit of connections.
TEST    := go test -p 2 -parallel 4 -timeout 40m
# Generating and testing must leave the tree as it was: clean in CI, yours on your machine.
TREE    := { git status --porcelain; git diff; } | cksum

.PHONY: help run test check bench build clean need
help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: ## the portal with a sign-in provider, a mail reader and sample people, on this machine
	@go build -o bin/demo ./cmd/demo && exec bin/demo run $(if $(PORT),--port=$(PORT))

test: need ## all tests, on a throw-away Postgres
	$(DEMO) postgres -- $(TEST) $(T)

# A fixed seed makes the random walks of CI repeatable; with -race they are shorter. Nobody looks at pictures there.
check: export PETSCHAFT_SEED ?= 20270314
check: export PETSCHAFT_SCREENS ?= none
check: need ## what CI runs: generated code, format, vet, staticcheck, tests with -race
	@mkdir -p bin && $(TREE) > bin/tree-before
	go tool templ generate -log-level warn
	@rough=$$($(TOOL) gofumpt -l .) && test -z "$$rough" || { echo "run '$(TOOL) gofumpt -w .' for: $$rough"; exit 1; }
	go vet ./...
	$(TOOL) staticcheck ./...
	$(DEMO) postgres -- $(TEST) -race -shuffle=on ./...
	$(TEST) -run Bomb ./internal/sheet
	PETSCHAFT_MODEL_STEPS=10000 $(DEMO) postgres -- $(TEST) -run Model ./internal/mailbox
	@$(TREE) | cmp -s - bin/tree-before || { git status --short; echo 'generating or testing changed the tree: commit what was generated'; exit 1; }

bench: ## speed as ratios against a floor of the same run, on a durable Postgres
	$(DEMO) postgres --fsync -- go run ./cmd/bench $(if $(ONLY),--only=$(ONLY))

build: ## bin/petschaft, one static file
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/petschaft ./cmd/petschaft

clean: ## forget the demo's data and everything that was built
	$(DEMO) forget
	rm -rf bin out

need: # a Postgres server, Chromium and a C compiler: installed by apt, or the line that does it
	@$(DEMO) need
