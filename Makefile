# The commands of this project; each is a script that can be read and run by itself.
.DEFAULT_GOAL := help
.PHONY: help run check format docs test fuzz conformance bench

help:
	@echo 'make run     build both services, start them here, stop them with Ctrl-C'
	@echo 'make check   format, lint and layering; builds nothing'
	@echo 'make test    all tests, with what they need'
	@echo 'make fuzz    fuzz what reads the input of others, two minutes in all'
	@echo 'make conformance  the upstream tempest image tests against both services and a real Keystone'
	@echo 'make format  rewrite the sources as make check wants them'
	@echo 'make docs    write docs/configuration.md and docs/policy.md anew'
	@echo 'make bench   measure an image service (BENCH="--help" says how), or this one beside nginx (BENCH=transfers)'

run:
	@scripts/run

check:
	@scripts/check

format:
	@swift format --in-place --parallel --recursive Package.swift Shared Services Tests Fuzzing $(wildcard Benchmarks)

# Written to a new file first: a program that fails leaves the old page.
docs:
	@swift build --product glance-api && swift build --product glance-registry && swift build --product glance-scrubber \
		&& swift build --product glance-policy
	@scripts/docs >docs/configuration.md.new && mv docs/configuration.md.new docs/configuration.md
	@scripts/docs policy >docs/policy.md.new && mv docs/policy.md.new docs/policy.md

test:
	@scripts/test

fuzz:
	@scripts/fuzz

conformance:
	@swift build --product glance-api && swift build --product glance-registry && swift build --product glance-manage
	@scripts/conformance

bench:
	@scripts/bench $(BENCH)
