/** What the fake host can show. Each scenario is one state of the stack that a view must draw well. */
import type {
  Change,
  PlanStepView,
  PlanView,
  PlaybookView,
  RunOutcome,
  RunStepView,
  RunView,
  SnapshotView,
  Subject,
  TriageView,
} from '../generated/wire';
import {
  ago,
  catalog,
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
} from './stack';

export interface Scenario {
  snapshot: SnapshotView;
  triage: TriageView;
  playbooks: PlaybookView[];
  runs: RunView[];
  /** The plan that `plan` makes, by playbook id. */
  plans: Record<string, Pick<PlanView, 'steps' | 'confirm' | 'act' | 'preconditions' | 'impact'>>;
  /** How a run of this scenario ends, and at which step it fails. */
  outcome: RunOutcome;
  failsAt?: number;
  inDoubt?: boolean;
  /** What the stack turns out to have changed in, and where that is found. */
  refused?: { at: 'confirm' | 'start' | 'step'; changes: Change[] };
  /** For the plan that goes on with an interrupted run. */
  moved?: Change[];
  /** The run that goes on when the window opens. */
  goesOn?: string;
  /** Commands that never answer, or that are refused. */
  silent?: boolean;
  gone?: boolean;
  chainError?: string;
  journalError?: string;
}

/** The wire leaves such a time out; its generated type does not say so. */
export const NEVER = undefined as unknown as string;

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
};

export function base(): Scenario {
  return {
    snapshot: snapshot(),
    triage: triage([]),
    playbooks: catalog(),
    runs: [pastRun('01KAVX7M3Q0000000000000001', 'fixed', 5400)],
    plans: {},
    outcome: 'fixed',
  };
}

export const START_REDIS: PlanStepView[] = [
  {
    n: 1,
    kind: 'compose',
    title: 'Start redis without its dependencies',
    preview: '["docker-compose", "--project-name", "ratiba-lab", "up", "-d", "--no-deps", "redis"]',
    command: 'docker-compose --project-name ratiba-lab up -d --no-deps redis',
    risk: 'reversible',
    before: 'redis: exited (137), container 4b0d99e1c2aa',
    after: 'redis: running, healthy',
    blast_radius: 'redis only. The backend and the worker reconnect by themselves.',
    instructions: [],
    undo: { title: 'Stop redis again, if it is still container 4b0d99e1c2aa' },
  },
  {
    n: 2,
    kind: 'wait_until',
    title: 'Wait until redis is healthy, at most 60 s',
    preview: 'service redis is healthy, looked at each second for at most 60 s',
    command: 'docker inspect --format "{{.State.Health.Status}}" ratiba-lab_redis_1',
    risk: 'read',
    blast_radius: 'Nobody.',
    instructions: [],
  },
];

export function redisStopped(): Scenario {
  const redis = tile('redis', {
    state: 'exited',
    health: 'unknown',
    mark: 'crit',
    detail: 'exited (137) 2 min ago, not by memory: stopped or killed',
    since: ago(127),
    container_id: '4b0d99e1c2aa',
    memory_bytes: undefined,
    ports: [],
  });
  const base = snapshot({
    services: services().map((one) =>
      one.service === 'redis'
        ? redis
        : one.service === 'worker'
          ? tile('worker', {
              mark: 'warn',
              state: 'restarting',
              health: 'none',
              detail: 'restarting: 6 times in 2 min',
              restarts: 6,
              since: ago(11),
            })
          : one.service === 'backend'
            ? tile('backend', {
                mark: 'warn',
                health: 'unhealthy',
                detail: 'health check fails: Error 111 connecting to redis:6379',
                since: ago(96),
                memory_bytes: 388e6,
                memory_limit_bytes: 1024 ** 3,
              })
            : one,
    ),
    sources: SOURCES.map((name) =>
      source(
        name,
        name === 'redis'
          ? {
              status: 'down',
              as_of: ago(131),
              error: 'redis does not answer: connection refused on 127.0.0.1:6381',
            }
          : {},
      ),
    ),
    tenants: tenants().map((one) => ({
      ...one,
      threads: null,
      stuck_threads: null,
      mark: 'unknown' as const,
      detail: 'threads unknown: redis does not answer',
    })),
  });
  return {
    snapshot: base,
    triage: triage(
      [
        verdict('01-service-unhealthy', 'present', {
          subject: { service: 'redis' },
          reason: 'redis has exited with code 137 and is not being restarted.',
          evidence: [
            evidence('docker inspect', 'redis: state', 'exited, exit code 137, OOMKilled false'),
            evidence('docker events', 'redis: last event', 'die at 14:01:07, exitCode=137'),
            evidence('host', 'port 127.0.0.1:6381', 'nobody listens'),
            evidence('docker inspect', 'redis: restart policy', 'no', false),
            evidence('logs', 'redis: last lines', 'no error before the end', true),
          ],
        }),
        verdict('01-service-unhealthy', 'present', {
          subject: { service: 'backend' },
          explained_by: 'service:redis',
          reason: 'backend fails its health check because it can not reach redis.',
          evidence: [evidence('docker inspect', 'backend: health', 'unhealthy, 4 failures in a row')],
        }),
        verdict('07-payment-pending-timeout', 'suspected', {
          explained_by: '01-service-unhealthy',
          reason: 'The worker can not take its jobs while redis is down, so payments will not be reconciled.',
          evidence: [
            evidence('docker inspect', 'worker: restarts', 6),
            evidence('postgres', 'payments initiated for more than 60 s', 2),
          ],
        }),
        verdict('05-fsm-stuck-collect-slot', 'unknown', {
          reason: 'Threads are kept in redis, and redis does not answer.',
        }),
        verdict('e1-worker-wrong-queue', 'unknown', {
          reason: 'The queue is in redis, and redis does not answer.',
        }),
      ],
      {
        which: [
          { service: 'redis', mark: 'crit', detail: 'exited (137)' },
          { service: 'backend', mark: 'warn', detail: 'health check fails' },
          { service: 'worker', mark: 'warn', detail: 'restarting' },
        ],
        when: { at: ago(127), what: 'redis: container died with exit code 137', source: 'docker events' },
        logs: [
          {
            service: 'redis',
            line: '1:signal-handler (1764000067) Received SIGTERM scheduling shutdown...',
            at: ago(128),
          },
          {
            service: 'backend',
            line: 'redis.exceptions.ConnectionError: Error 111 connecting to redis:6379. Connection refused.',
            at: ago(96),
          },
          { service: 'worker', line: 'arq.worker: redis connection error, 5 retries remaining', at: ago(60) },
        ],
      },
    ),
    playbooks: catalog(),
    runs: [pastRun('01KAVX7M3Q0000000000000001', 'fixed', 5400)],
    plans: {
      '01-service-unhealthy': {
        steps: START_REDIS,
        confirm: { kind: 'click' },
        act: 'Start redis',
        impact: impact({ services: ['redis'] }),
        preconditions: [
          {
            kind: 'container',
            service: 'redis',
            id: '4b0d99e1c2aa71f0',
            state: 'exited',
            started_at: ago(9000),
            config_hash: 'c0ffee12',
          },
        ],
      },
    },
    outcome: 'fixed',
  };
}

export function row5(): Scenario {
  const page = catalog().map((one) =>
    one.id !== '05-fsm-stuck-collect-slot'
      ? one
      : {
          ...one,
          params: [
            {
              name: 'staff',
              label: 'Staff member',
              kind: 'choice' as const,
              help: 'Who gets working hours. Only active staff of this tenant are listed.',
              default: undefined,
              choices: [
                { value: '6c1e', label: 'Wanjiku Kamau' },
                { value: '91bb', label: 'Otieno Odhiambo' },
                { value: 'd20a', label: 'Fatma Hassan' },
              ],
              required: true,
            },
            {
              name: 'days',
              label: 'Days',
              kind: 'choices' as const,
              help: 'Stored as 0 for Monday, as this tenant’s other rows are.',
              default: ['0', '1', '2', '3', '4'],
              choices: ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'].map(
                (label, i) => ({ value: String(i), label }),
              ),
              required: true,
            },
            {
              name: 'from',
              label: 'From',
              kind: 'time' as const,
              help: 'East Africa Time.',
              default: '09:00',
              choices: [],
              required: true,
            },
            {
              name: 'to',
              label: 'To',
              kind: 'time' as const,
              help: 'East Africa Time.',
              default: '17:00',
              choices: [],
              required: true,
            },
            {
              name: 'weeks',
              label: 'Check this many weeks ahead',
              kind: 'integer' as const,
              help: 'A free slot must appear within them.',
              default: 2,
              choices: [],
              required: true,
            },
            {
              name: 'note',
              label: 'Note',
              kind: 'text' as const,
              help: 'Kept in the journal.',
              default: undefined,
              choices: [],
              required: false,
            },
            {
              name: 'nudge',
              label: 'Tell the stuck customers that times are open now',
              kind: 'flag' as const,
              help: '',
              default: false,
              choices: [],
              required: false,
            },
          ],
        },
  );
  const stuck = (slug: string, name: string, n: number): ReturnType<typeof tenant> =>
    tenant(slug, name, {
      mark: 'warn',
      stuck_threads: n,
      detail: `${n} threads in COLLECT_SLOT for more than 30 min`,
      threads: { GREET: 2, COLLECT_SLOT: n + 2, CONFIRMED: 18 },
    });
  const finding = (subject: Subject, n: number): ReturnType<typeof verdict> =>
    verdict('05-fsm-stuck-collect-slot', 'present', {
      subject,
      reason: `${subject.tenant} has active staff without any working hours, so no slot can be offered.`,
      evidence: [
        evidence('postgres', `tenant_${subject.tenant}: active staff without a schedule`, [
          'Wanjiku Kamau',
          'Otieno Odhiambo',
        ]),
        evidence('redis', `threads in COLLECT_SLOT with 3 or more re-prompts`, n),
        evidence('postgres', 'blocks over the next 14 days', 0, true),
      ],
    });
  return {
    snapshot: snapshot({
      tenants: tenants().map((one) =>
        one.slug === 'amani_clinic'
          ? stuck(one.slug, one.name, 7)
          : one.slug === 'zuri_spa'
            ? stuck(one.slug, one.name, 2)
            : one,
      ),
    }),
    triage: triage([finding({ tenant: 'amani_clinic' }, 7), finding({ tenant: 'zuri_spa' }, 2)], {
      when: { at: ago(2400), what: 'amani_clinic: first thread re-prompted three times', source: 'redis' },
    }),
    playbooks: page,
    runs: [],
    plans: {
      '05-fsm-stuck-collect-slot': {
        steps: [
          {
            n: 1,
            kind: 'sql',
            title: 'Add working hours for Wanjiku Kamau, Monday to Friday',
            preview:
              'INSERT INTO "tenant_amani_clinic".staff_schedules (staff_id, day_of_week, start_time, end_time)\nSELECT $1, d, $2, $3 FROM unnest($4::int[]) AS d\nWHERE NOT EXISTS (SELECT 1 FROM "tenant_amani_clinic".staff_schedules s\n  WHERE s.staff_id = $1 AND s.day_of_week = d AND s.start_time = $2 AND s.end_time = $3)\nRETURNING id\n\n$1 = \'6c1e…\'  $2 = 09:00  $3 = 17:00  $4 = {0,1,2,3,4}\nexpects 5 rows',
            command: 'docker-compose exec -T postgres psql -U ratiba -d ratiba -f add-hours.sql',
            risk: 'reversible',
            before: 'staff_schedules of Wanjiku Kamau: 0 rows',
            after: 'staff_schedules of Wanjiku Kamau: 5 rows',
            blast_radius: 'Customers of Amani Family Clinic can book Wanjiku Kamau in these hours at once.',
            instructions: [],
            undo: { title: 'Delete the 5 rows, if they are unchanged and no booking uses them' },
          },
          {
            n: 2,
            kind: 'wait_until',
            title: 'Wait until a free slot is offered, at most 30 s',
            preview: 'GET http://127.0.0.1:8010/tenants/amani_clinic/slots answers with at least 1 slot',
            command: 'curl -s http://127.0.0.1:8010/tenants/amani_clinic/slots',
            risk: 'read',
            blast_radius: 'Nobody.',
            instructions: [],
          },
        ],
        confirm: { kind: 'click' },
        act: 'Add 5 working days',
        impact: impact({ rows: 5, tenants: ['amani_clinic'], customers: 9 }),
        preconditions: [
          { kind: 'rows', step: 1, guard: 0, what: 'Wanjiku Kamau has no working hours', rows: [] },
        ],
      },
    },
    outcome: 'fixed',
  };
}

function row12(): Scenario {
  return {
    ...base(),
    triage: triage([
      verdict('12-leftover-test-schemas', 'present', {
        subject: { schema: 'test_tenant_9f31' },
        reason: 'A test run of 3 days ago left the schema test_tenant_9f31 behind.',
        evidence: [
          evidence('postgres', 'schemas named as tests name them', ['test_tenant_9f31']),
          evidence('postgres', 'sessions that use it', 0),
          evidence('host', 'a running pytest', 'none', true),
        ],
      }),
    ]),
    plans: {
      '12-leftover-test-schemas': {
        steps: [
          {
            n: 1,
            kind: 'backup',
            title: 'Back up test_tenant_9f31 and restore it for a test',
            preview: '["pg_dump", "-Fc", "-n", "test_tenant_9f31", "ratiba"]',
            command: 'pg_dump -Fc -n test_tenant_9f31 ratiba > test_tenant_9f31.dump',
            risk: 'read',
            after: 'a file of about 40 KiB, test-restored',
            blast_radius: 'Nobody.',
            instructions: [],
          },
          {
            n: 2,
            kind: 'sql',
            title: 'Drop the schema test_tenant_9f31',
            preview: 'DROP SCHEMA "test_tenant_9f31" CASCADE',
            command: 'psql -c \'DROP SCHEMA "test_tenant_9f31" CASCADE\'',
            risk: 'destructive',
            before: '7 tables, 212 rows',
            after: 'no such schema',
            blast_radius: 'Whoever still needs that test run.',
            instructions: [],
          },
          {
            n: 3,
            kind: 'manual',
            title: 'Tell the owner of the test run',
            preview: '',
            command: '',
            risk: 'read',
            blast_radius: 'Nobody.',
            instructions: [
              'Say in the team channel that test_tenant_9f31 is gone.',
              'Say where the backup is.',
            ],
          },
        ],
        confirm: { kind: 'phrase', phrase: 'test_tenant_9f31' },
        act: 'Drop test_tenant_9f31',
        impact: impact({
          rows: undefined,
          customers: undefined,
          backups: ['Back up test_tenant_9f31 and restore it for a test'],
        }),
        preconditions: [{ kind: 'rows', step: 2, guard: 0, what: 'nobody uses the schema', rows: [] }],
      },
    },
  };
}

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
      { changed: { error: 'the checkout named in the profile is not there: /srv/ratiba' } },
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
    triage: { ...triage([]), ranked: [], changed: {} },
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

function hostile(): Scenario {
  const text =
    '<img src=x onerror="document.title=\'owned\'"> \u202egnp.exe\u202c \u001b[31mred\u001b[0m \u0000\u0007\u200b{{7*7}} <script>alert(1)</script>';
  const from = redisStopped();
  const step = START_REDIS[0];
  return {
    ...from,
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
      when: { at: ago(90), what: text, source: text },
      changed: { commits: [text] },
      logs: [{ service: text, line: text, at: null }],
      ranked: from.triage.ranked.map((one, i) =>
        i === 0 ? { ...one, reason: text, evidence: [evidence(text, text, { [text]: text })] } : one,
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

/** A run of the redis repair that began so many seconds ago. */
export function pastRun(run: string, outcome: RunOutcome, secondsAgo: number): RunView {
  const failed = outcome === 'failed';
  const steps = START_REDIS.map((step, i): RunStepView => ({
    step,
    state: failed
      ? i === 0
        ? 'failed'
        : 'pending'
      : outcome === 'cancelled' && i === 1
        ? 'pending'
        : 'done',
    started_at: ago(secondsAgo - i * 2),
    ended_at: ago(secondsAgo - i * 2 - 1.8),
    detail:
      failed && i === 0
        ? 'Bind for 127.0.0.1:6381 failed: port is already allocated'
        : i === 0
          ? 'redis started as container 4b0d99e1c2aa'
          : 'healthy after 1.8 s',
    output:
      i === 0
        ? [
            'Starting ratiba-lab_redis_1 ...',
            failed ? 'ERROR: for redis  Cannot start service redis' : 'Starting ratiba-lab_redis_1 ... done',
          ]
        : [],
  }));
  const settled = steps.map((row) => (row.state === 'pending' ? notBegun(row) : row));
  return {
    run,
    playbook: '01-service-unhealthy',
    title: 'A service is down or unhealthy',
    subject: { service: 'redis' },
    digest: '5d41402abc4b2a76b9719d911017c592ae0b6a1f9d4c0b7f6f3a2c1d00ff42e1',
    operator: 'adrian',
    started_at: ago(secondsAgo),
    ended_at: ago(secondsAgo - 4.2),
    outcome,
    changes: [],
    steps: settled,
    evidence: [
      evidence(
        'docker inspect',
        'redis: state',
        outcome === 'fixed' ? 'running, healthy' : 'exited, exit code 137',
        outcome === 'fixed',
      ),
    ],
    can_undo: outcome === 'fixed',
  };
}

export function notBegun(row: RunStepView): RunStepView {
  return { ...row, started_at: NEVER, ended_at: NEVER, detail: undefined, output: [] };
}
