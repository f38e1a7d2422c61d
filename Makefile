# Two commands do everything: `make demo` and `make test`. `make` alone lists the rest.

PREFIX ?= /usr/local
DESTDIR ?=
# What `make install` builds stands apart: it holds the Swift runtime.
STATIC_BUILD = .build/static
SWIFT = . .ci/toolchain.sh && swift

SHELL = bash
.DEFAULT_GOAL = help
.PHONY: help setup build demo bench bench-enrichment bench-recovery bench-sinks test nightly lint format install clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

setup: ## install the Debian packages that are missing; check the Swift toolchain
	@.ci/setup.sh

build: setup ## build .build/release/sojourn
	@$(SWIFT) build -c release --product sojourn

demo: build ## the main job on an embedded cluster, killed half way (EVENTS=FILE.jsonl SINK=postgres|kafka|iceberg GEO=FILE.mmdb)
	@.ci/demo.sh

bench: setup ## measure against a bare reader (EVENTS=1000000)
	@$(SWIFT) build -c release --product sojourn && $(SWIFT) build -c release --product sojourn-bench
	@rm -rf .build/bench && .build/release/sojourn-bench .build/release/sojourn $(or $(EVENTS),1000000) .build/bench

bench-recovery: setup ## measure from exec to the first new record (SESSIONS=1000000)
	@$(SWIFT) build -c release --product sojourn && $(SWIFT) build -c release --product sojourn-bench
	@rm -rf .build/bench && .build/release/sojourn-bench recovery .build/release/sojourn $(or $(SESSIONS),1000000) .build/bench

bench-enrichment: setup ## measure what geography and raw user agents cost (EVENTS=1000000 GEO=FILE.mmdb)
	@$(SWIFT) build -c release --product sojourn && $(SWIFT) build -c release --product sojourn-bench
	@rm -rf .build/bench && .build/release/sojourn-bench enrichment .build/release/sojourn $(or $(EVENTS),1000000) .build/bench $(GEO)

bench-sinks: setup ## measure what sinks take (ROWS=300000 SINKS="kafka:… postgres://… iceberg:…")
	@$(SWIFT) build -c release --product sojourn-bench
	@rm -rf .build/bench && .build/release/sojourn-bench sinks $(or $(ROWS),300000) .build/bench $(SINKS)

test: ## check the formatting, build, run all tests
	@.ci/setup.sh tests
	@.ci/test.sh

nightly: setup ## the fault tests at full length, hours in all (PART=damage runs one of .ci/nightly)
	@.ci/nightly.sh $(PART)

lint: ## check the formatting
	@$(SWIFT) format lint --strict --parallel --recursive Sources Tests Package.swift

format: ## format the sources
	@$(SWIFT) format --in-place --parallel --recursive Sources Tests Package.swift

install: setup ## install to PREFIX/bin; it runs without the Swift toolchain (PREFIX=/usr/local)
	@$(SWIFT) build -c release --product sojourn --static-swift-stdlib --scratch-path $(STATIC_BUILD)
	@install -D -m 755 $(STATIC_BUILD)/release/sojourn $(DESTDIR)$(PREFIX)/bin/sojourn
	@echo "Installed $(DESTDIR)$(PREFIX)/bin/sojourn"

clean: ## remove everything that was built
	@rm -rf .build
