# The tasks as CI steps; docs/ci.md tells which job runs which. Every target is run by the tests.
INVOKE ?= invoke

.PHONY: check heads migrate plan rehearse status reset backup-then-migrate rollback

heads:               ## one head in the history, no database needed
	$(INVOKE) check --heads

plan:                ## what a deploy would run
	$(INVOKE) migrate --plan

rehearse:            ## what a deploy would run, on a copy with its rows
	$(INVOKE) rehearse

migrate:             ## deploy
	$(INVOKE) migrate

backup-then-migrate: ## deploy, with a verified backup first
	$(INVOKE) backup-then-migrate

check: migrate       ## models and database agree
	$(INVOKE) check

status:              ## fails with 6 while revisions are pending
	$(INVOKE) status --exit-code

rollback:            ## undo the last revision, whatever it loses
	$(INVOKE) rollback --yes

reset:               ## a fresh development database
	$(INVOKE) reset-dev --yes
