/** A stack that is watched, in each state. What acting on it leads to is in `acting.ts`. */
import type { RunStepView, RunView } from '../generated/wire';
import { base, type Scenario } from './scenario';
import { LEAKS } from './bundle';
import { START_REDIS, redisStopped, pastRun, notBegun } from './redis';
import { row5, row12 } from './rows';
import {
  NEVER,
  ago,
  evidence,
  impact,
  payments,
  services,
  snapshot,
  source,
  SOURCES,
  tenant,
  tenants,
  tile,
  triage,
  verdict,
  withShown,
} from './stack';

/** A stack that is watched. What acting on it leads to is in `acting.ts`. */
export const WATCHING = {
  healthy: base,
  'redis-stopped': redisStopped,
  row5,
  row12,
  'partial-unknown': partialUnknown,
  stale,
  empty,
  loading: (): Scenario => ({ ...base(), silent: true }),
  disconnected: (): Scenario => ({ ...base(), gone: true }),
  running,
  failed: (): Scenario => ({ ...redisStopped(), outcome: 'failed', failsAt: 1 }),
  'not-fixed': (): Scenario => ({ ...redisStopped(), outcome: 'not_fixed' }),
  journal,
  hostile,
  many,
  unmatched,
  'bundle-leaks': (): Scenario => ({ ...redisStopped(), bundleTrouble: LEAKS }),
};

function partialUnknown(): Scenario {
  const why = 'postgres does not answer within 2 s';
  return {
    ...base(),
    snapshot: snapshot({
      sources: SOURCES.map((name) =>
        source(
          name,
          name === 'postgres'
            ? { status: 'down', as_of: null, error: `${why}: timeout on 127.0.0.1:5434` }
            : name === 'repo'
              ? {
                  status: 'down',
                  as_of: null,
                  error: 'the checkout named in the profile is not there: /srv/ratiba',
                }
              : {},
        ),
      ),
      services: services().map((one) =>
        one.service === 'sip'
          ? tile('sip', {
              mark: 'unknown',
              state: 'unknown',
              health: 'unknown',
              detail: 'the engine did not answer for this container',
              memory_bytes: undefined,
            })
          : one,
      ),
      tenants: tenants()
        .slice(0, 3)
        .map((one, i) => ({
          ...one,
          payments: i === 1 ? one.payments : null,
          stuck_payments: i === 1 ? 0 : null,
          mark: i === 1 ? ('ok' as const) : ('unknown' as const),
          detail: i === 1 ? one.detail : `payments unknown: ${why}`,
        })),
      payments: [],
      unreadable_threads: ['ratiba:fsm:01J9ZK…: neither a string nor a hash, but a list'],
    }),
    triage: triage(
      [
        verdict('04-stk-callback-missing', 'unknown', { reason: `Payments can't be read: ${why}.` }),
        verdict('07-payment-pending-timeout', 'unknown', { reason: `Payments can't be read: ${why}.` }),
        verdict('12-leftover-test-schemas', 'unknown', { reason: `Schemas can't be listed: ${why}.` }),
        verdict('13-alembic-heads', 'unknown', {
          reason: 'The checkout named in the profile is not there: /srv/ratiba.',
        }),
      ],
      {
        changed: {
          error: 'the checkout named in the profile is not there: /srv/ratiba',
          diff_stat: [],
          drift: [],
          unread: [],
        },
      },
    ),
  };
}

function stale(): Scenario {
  return {
    ...base(),
    snapshot: snapshot({
      sources: SOURCES.map((name) =>
        source(
          name,
          name === 'docker'
            ? { status: 'stale', as_of: ago(42), error: 'the engine has not answered for 42 s' }
            : {},
        ),
      ),
      services: services().map((one) => ({ ...one, as_of: ago(42) })),
    }),
  };
}

function empty(): Scenario {
  return {
    ...base(),
    snapshot: snapshot({ services: [], tenants: [], payments: [] }),
    triage: { ...triage([]), ranked: [], changed: { diff_stat: [], drift: [], unread: [] } },
    playbooks: [],
    runs: [],
  };
}

function running(): Scenario {
  const from = redisStopped();
  const run: RunView = {
    ...pastRun('01KAVXA0000000000000000RUN', 'fixed', 4),
    ended_at: NEVER,
    outcome: undefined,
    evidence: [],
    can_undo: false,
    interrupted: {
      n: 2,
      how: 'the console has not said how this went',
      goes_on: 'this console',
      can_resume: false,
      can_undo: false,
    },
  };
  run.steps = run.steps.map((row, i): RunStepView => ({
    ...row,
    state: i === 0 ? 'done' : 'running',
    ended_at: i === 0 ? row.ended_at : NEVER,
  }));
  return {
    ...from,
    snapshot: {
      ...from.snapshot,
      services: from.snapshot.services.map((one) =>
        one.service === 'redis'
          ? tile('redis', {
              mark: 'busy',
              state: 'running',
              health: 'starting',
              detail: 'started by this console 4 s ago',
              own_run: run.run,
              since: ago(4),
              started_at: ago(4),
            })
          : one,
      ),
    },
    runs: [run, ...from.runs],
    goesOn: run.run,
  };
}

function journal(): Scenario {
  const interrupted: RunView = {
    ...pastRun('01KAVX00000000000000000INT', 'fixed', 700),
    ended_at: NEVER,
    outcome: undefined,
    evidence: [],
    can_undo: false,
    interrupted: {
      n: 1,
      how: 'redis is running, but it is another container than before',
      can_resume: false,
      can_undo: false,
    },
  };
  interrupted.steps = interrupted.steps.map((row, i): RunStepView =>
    i > 0
      ? notBegun({ ...row, state: 'pending' })
      : {
          ...row,
          state: 'interrupted',
          ended_at: NEVER,
          detail: 'the console ended before it was known how this went',
          output: [],
        },
  );
  const undone = {
    ...pastRun('01KAVX00000000000000000UND', 'fixed', 3000),
    undone_by: '01KAVX00000000000000000UDO',
    can_undo: false,
  };
  undone.steps = undone.steps.map((row, i) => (i === 0 ? { ...row, state: 'undone' as const } : row));
  const undo = {
    ...pastRun('01KAVX00000000000000000UDO', 'fixed', 2600),
    title: 'Take back: A service is down or unhealthy',
    undo_of: '01KAVX00000000000000000UND',
    steps: pastRun('01KAVX00000000000000000UDO', 'fixed', 2600)
      .steps.slice(0, 1)
      .map((row): RunStepView => ({
        ...row,
        detail: 'redis stopped',
        step: {
          ...row.step,
          title: 'Stop redis again, if it is still container 4b0d99e1c2aa',
          preview: '["docker-compose", "--project-name", "ratiba-lab", "stop", "redis"]',
          command: 'docker-compose --project-name ratiba-lab stop redis',
          before: row.step.after,
          after: row.step.before,
          undo: { title: 'Do it again: Start redis without its dependencies' },
        },
      })),
  };
  return {
    ...base(),
    runs: [
      interrupted,
      {
        ...pastRun('01KAVX00000000000000000FAI', 'failed', 1500),
        reason: 'step 1: Bind for 127.0.0.1:6381 failed: port is already allocated',
      },
      undo,
      undone,
      { ...pastRun('01KAVX00000000000000000NOT', 'not_fixed', 4000), reason: 'redis is still exited' },
      { ...pastRun('01KAVX00000000000000000CAN', 'cancelled', 9000) },
      {
        ...pastRun('01KAVX00000000000000000REF', 'refused', 90000),
        reason: 'the stack changed since this plan: redis was started again at 13:58:02',
        steps: [],
      },
      {
        ...pastRun('01KAVX00000000000000000UNK', 'unknown', 180000),
        reason: 'postgres did not answer during the verification',
      },
    ],
    chainError: undefined,
  };
}

/** Something is wrong, and no row of the runbook says what. */
function unmatched(): Scenario {
  const from = base();
  return {
    ...from,
    snapshot: snapshot({
      services: services().map((one) =>
        one.service === 'frontend'
          ? tile('frontend', {
              mark: 'warn',
              health: 'unhealthy',
              detail: 'health check fails: 502 from the proxy',
              since: ago(340),
            })
          : one,
      ),
    }),
    triage: triage(
      [
        verdict('09-tts-latency', 'unknown', {
          reason: 'No call in the last hour: there is nothing to time.',
        }),
      ],
      {
        when: {
          at: ago(340),
          what: 'frontend: health check fails',
          source: 'docker',
          not_known_of: [],
          signs: [{ at: ago(340), what: 'frontend: health check fails', source: 'docker' }],
          deeds: [{ at: ago(420), what: 'pull: Fast-forward', source: 'git' }],
          unread: [],
        },
        unmatched: {
          ruled_out: Array.from({ length: 17 }, (_, i) => `row ${i + 1}: not seen`),
          not_evaluable: ['row 9: no call in the last hour'],
          memos: [
            {
              file: 'docs/closeout/2026-10-30.md',
              line: 41,
              text: 'frontend answered 502 after the proxy image was rebuilt',
              words: ['frontend', '502'],
            },
          ],
          unread: [],
          bundle: 'ratibactl bundle export -o FILE.zip',
        },
      },
    ),
  };
}

function hostile(): Scenario {
  const text =
    '<img src=x onerror="document.title=\'owned\'"> \u202egnp.exe\u202c \u001b[31mred\u001b[0m \u0000\u0007\u200b{{7*7}} <script>alert(1)</script>';
  const from = redisStopped();
  const step = START_REDIS[0];
  return {
    ...from,
    bundleSays: text,
    playbooks: from.playbooks.map((one) => ({
      ...one,
      title: `${one.title} ${text}`,
      symptom: text,
      sections: [{ heading: text, text }],
      params: (['choice', 'choices'] as const).map((kind) => ({
        name: kind,
        label: text,
        kind,
        help: text,
        default: kind === 'choice' ? 'x' : ['x'],
        choices: [{ value: 'x', label: text }],
        required: true,
      })),
    })),
    runs: from.runs.map((run) => ({
      ...run,
      title: text,
      reason: text,
      operator: text,
      interrupted: { n: 1, happened: true, how: text, can_resume: true, can_undo: true },
    })),
    refused: { at: 'confirm' as const, changes: [{ what: text, field: text, planned: text, now: [text] }] },
    snapshot: {
      ...from.snapshot,
      services: from.snapshot.services.map((one) =>
        one.service === 'redis' ? { ...one, detail: text } : one,
      ),
      tenants: [
        tenant('evil', text, { detail: text, mark: 'warn', threads: { [text]: 3 }, payments: { [text]: 1 } }),
        ...from.snapshot.tenants,
      ],
      payments: [...payments(), { state: text, count: 1, stuck: 1, oldest_stuck: ago(900) }],
      unreadable_threads: [text],
    },
    triage: {
      ...from.triage,
      when: {
        at: ago(90),
        what: text,
        source: text,
        not_known_of: [text],
        signs: [{ at: ago(90), what: text, source: text }],
        deeds: [{ at: ago(95), what: text, source: text }],
        lead: { at: ago(95), what: text, source: text },
        unread: [text],
      },
      changed: {
        commits: [text],
        head: text,
        base: text,
        diff_stat: [text],
        alembic: { database: [text], heads: [text], says: text },
        drift: [text],
        unread: [text],
      },
      logs: [
        { service: text, line: text, at: null, level: text, shape: text, count: 2, last: null, is_new: true },
      ],
      logs_read: { own: 0, notes: [text] },
      unmatched: {
        ruled_out: [text],
        not_evaluable: [text],
        memos: [{ file: text, line: 1, text, words: [text] }],
        unread: [text],
      },
      ranked: from.triage.ranked.map((one, i) =>
        i === 0
          ? {
              ...one,
              reason: text,
              evidence: [
                withShown(evidence(text, text, { [text]: text }), {
                  items: [text, { [text]: text }],
                  cut: text,
                }),
              ],
            }
          : one,
      ),
    },
    plans: step
      ? {
          '01-service-unhealthy': {
            steps: [
              {
                ...step,
                title: text,
                preview: text,
                before: text,
                after: text,
                blast_radius: text,
                undo: { title: text },
              },
            ],
            confirm: { kind: 'click' },
            act: text,
            impact: impact({ rows: 1, services: [text], tenants: [text], customers: 3, backups: [text] }),
            preconditions: [{ kind: 'rows', step: 1, guard: 0, what: text, rows: [{ a: text }] }],
          },
        }
      : {},
  };
}

function many(): Scenario {
  const marks = ['ok', 'ok', 'ok', 'ok', 'warn', 'unknown'] as const;
  return {
    ...base(),
    snapshot: snapshot({
      tenants: Array.from({ length: 1000 }, (_, i) => {
        const mark = i % 40 === 0 ? (marks[4 + ((i / 40) % 2)] ?? 'ok') : 'ok';
        return tenant(`tenant_${String(i).padStart(4, '0')}`, `Tenant number ${i}`, {
          mark,
          stuck_threads: mark === 'warn' ? 3 : mark === 'unknown' ? null : 0,
          threads: mark === 'unknown' ? null : { GREET: i % 7, CONFIRMED: i % 50 },
          detail:
            mark === 'warn'
              ? '3 threads stuck'
              : mark === 'unknown'
                ? 'redis did not answer in time for this tenant'
                : 'nothing stuck',
        });
      }),
      payments: [
        { state: 'initiated', count: 1840, stuck: 37, oldest_stuck: ago(7200) },
        { state: 'paid', count: 941_205, stuck: 0, oldest_stuck: null },
        { state: 'failed', count: 41_002, stuck: 0, oldest_stuck: null },
        { state: 'cancelled', count: 15_953, stuck: 0, oldest_stuck: null },
      ],
    }),
  };
}
