# Everything one does here. CI runs lint, test and peers.
# T: which packages to test, as in `make test T=./internal/org`. PORT: the demo's, as in `make run PORT=9000`.
# ONLY: what to measure, as in `make bench ONLY=import,export`.
T       ?= ./...
# What is built holds no path of this clone, so a fresh one takes from the cache what another one built.
export GOFLAGS := -trimpath $(filter-out -trimpath,$(GOFLAGS))
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
DEMO    := bin/demo
TOOL    := go tool -modfile=tools/go.mod
# What says of what the program consists; a module of its own, for these need many that lint does not.
SUPPLY  := go tool -modfile=tools/supply.mod
# Two packages with four tests each keep a small machine busy and the server under its limit of connections.
TEST    := $(DEMO) postgres -- go test -p 2 -parallel 4 -timeout 40m
# What tests of lanes two, three and four are called, as internal/lane has it; lane one is all others.
TWO     := InABrowser|Journey|StaysSmall
THREE   := TestPeer
FOUR    := TestVersions
# $(call lane,NAMES) runs the tests of T that are called so; packages without any are not even linked.
# Backwards: the site, which takes as long as all others together, begins early.
FILES   := go list -f '{{$$d := .Dir}}{{range .TestGoFiles}}{{$$d}}/{{.}} {{end}}{{range .XTestGoFiles}}{{$$d}}/{{.}} {{end}}' $(T)
lane     = files=$$($(FILES)) && dirs=$$(grep -lE '^func [^(]*($(1))' /dev/null $$files | xargs -r -n 1 dirname | sort -ru) && \
	   if test -n "$$dirs"; then $(TEST) $(2) -run '$(1)' $$dirs; fi
# Generating and testing must leave the tree as it was: clean in CI, yours on your machine.
TREE    := { git status --porcelain; git diff; } | cksum
BEFORE  := mkdir -p bin && $(TREE) > bin/tree-before
AFTER   := $(TREE) | cmp -s - bin/tree-before || { git status --short; echo 'generating or testing changed the tree: commit what was generated'; exit 1; }

# A fixed seed makes the random walks of CI repeatable; nobody looks at pictures there.
ifeq ($(CI),true)
export PETSCHAFT_SEED    ?= 20270314
export PETSCHAFT_SCREENS ?= none
endif

.PHONY: help run check lint vulns test peers versions bench build clean need bin/demo
help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: bin/demo ## the portal with a sign-in provider, a mail reader and sample people, on this machine
	@exec bin/demo run $(if $(PORT),--port='$(PORT)')

bin/demo: # always: Go knows what is new
	@sh cmd/demo/build.sh

check: lint vulns test ## lint, vulns and test: what to run before a commit

VULNDB ?= https://vuln.go.dev
vulns: ## known flaws of what is built in, where the Go vulnerability database can be reached
	@if curl -sf -m 20 -o /dev/null '$(VULNDB)/index/db.json'; then $(SUPPLY) govulncheck -db '$(VULNDB)' ./cmd/petschaft; \
	else echo 'NOT CHECKED: the Go vulnerability database cannot be reached from here ($(VULNDB))'; fi

lint: ## generated code, format, vet, staticcheck
	@$(BEFORE)
	go tool templ generate -include-version=false -log-level warn
	@rough=$$($(TOOL) gofumpt -l .) && test -z "$$rough" || { echo "run '$(TOOL) gofumpt -w .' for: $$rough"; exit 1; }
	go vet ./...
	$(TOOL) staticcheck ./...
	@$(AFTER)

# With -race the random walks are shorter, so the longest is gone once more without.
test: need ## all tests but peers, on a throw-away Postgres: with -race, then without it what looks at pages in a browser
	@$(BEFORE)
	$(TEST) -race -short -shuffle=on $(T)
	$(call lane,$(TWO))
	$(if $(filter ./...,$(T)),PETSCHAFT_MODEL_STEPS=10000 $(TEST) -run Model ./internal/mailbox)
	@$(AFTER)

peers: ## what foreign programs say of keys, files and letters; who is missing is skipped, in CI an error
	@sh cmd/demo/build.sh $(T) && $(DEMO) need --peers $(T)
	@$(BEFORE)
	$(call lane,$(THREE),-v)
	@$(AFTER)

# CI does not: its clone may be too shallow to build the version before.
versions: need ## programs of the version before and of this one on one database, killed at random; needs the history
	$(call lane,$(FOUR),-v)

bench: bin/demo ## speed as ratios against a floor of the same run, on a durable Postgres
	$(DEMO) postgres --fsync -- go run ./cmd/bench $(if $(ONLY),--only=$(ONLY))

build: ## bin/petschaft, one static file, and bin/petschaft.cdx.json, what it was built from
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/petschaft ./cmd/petschaft
	$(SUPPLY) cyclonedx-gomod bin -json -std -noserial -version '$(VERSION)' -output bin/petschaft.cdx.json bin/petschaft

clean: bin/demo ## forget the demo's data and everything that was built
	$(DEMO) forget
	rm -rf bin out

need: # what the tests of T cannot do without: installed by apt, or the line that does it
	@sh cmd/demo/build.sh $(T) && $(DEMO) need $(T)
