//! What the page says that is of no single row: how to begin, and whom to call.

/// What stands above the table.
pub(super) const TRIAGE: &str = "\
## Triage

Four questions, in this order; most incidents end at the third. `ratibactl triage` answers all of them from the stack
itself and ranks every row below, the cause before what it explains. By hand:

1. **Which service?** `docker compose ps -a`. Whatever is not running, or not healthy, comes first; without `-a` a stopped
   container is not listed. LiveKit has no health check: of it *running* is all that is said.
2. **Since when?** After a `git pull`: mostly a migration that was not applied (row 13), or a new key that the `.env` does
   not have. In the middle of work: mostly data, such as a bad row, a stale key in Redis, a conversation that is stuck.
3. **What changed?** `git log --oneline -20`, then `git diff HEAD~5 -- backend/app docker-compose.yml`. A migration or a
   changed service is the first suspect.
4. **What do the logs say?** `ratibactl logs --since 5m --service SERVICE`, or `docker compose logs --since 5m SERVICE`. The
   reason is mostly among the last 50 lines.
";

/// What stands below the rows.
pub(super) const ESCALATION: &str = "\
## Escalation path

When no row fits and triage leads nowhere:

1. Search the close-out memos of past milestones: the same surprise may be in one. `ratibactl triage` names those that
   mention what is wrong, where the profile says in which folder they are.
2. Follow all logs at once and compare times: `ratibactl logs --follow`.
3. Collect the state before you call anybody: `ratibactl bundle export -o FILE.zip`. It must have the containers' states, the
   last 200 lines of the logs concerned, the exact command that failed (`--note TEXT`), and the last ten commits.
   Then call whoever looks after this stack, and hand over the file.
4. During the pilot: write the finding into the deviations of the pilot's close-out as well.
";

/// What stands at the end.
pub(super) const NEW_ROW: &str = "\
## A new failure mode

What took more than ten minutes to find gets a row: `ratibactl runbook new`. It writes the playbook and its drill, and both say
that they are not done until somebody has written them. This page is made from the playbooks and not written by hand:
`ratibactl runbook render -o FILE`.
";
