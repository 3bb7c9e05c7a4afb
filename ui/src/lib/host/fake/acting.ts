/** Scenarios of acting: plans of every kind, refusals, interrupted runs, scripts that are not the console's own. */
import type { Change, InterruptedView, PlanStepView, PlaybookView, RunView } from '../generated/wire';
import { notBegun, pastRun, redisStopped, START_REDIS } from './redis';
import { row5 } from './rows';
import { base, type Scenario } from './scenario';
import { NEVER, ago, catalog, evidence, impact, triage, verdict } from './stack';

const RUN = '01KAVX00000000000000000INT';

const MOVED: Change[] = [
  { what: 'redis', field: 'container', planned: '4b0d99e1c2aa', now: '9f2c41ab77d0' },
  { what: 'redis', field: 'state', planned: 'exited', now: 'running' },
  {
    what: '"Wanjiku Kamau has no working hours"',
    field: 'rows',
    planned: [],
    now: [
      { staff_id: '6c1e', day_of_week: 0, start_time: '09:00:00', end_time: '17:00:00' },
      { staff_id: '6c1e', day_of_week: 1, start_time: '09:00:00', end_time: '17:00:00' },
    ],
  },
  {
    what: '.env',
    field: 'content',
    planned: 'hmac-sha256:5d41402abc4b2a76b9719d911017c592ae0b6a1f9d4c0b7f6f3a2c1d00ff42e1',
    now: 'hmac-sha256:5d41402abc4b2a76b9719d911017c592ae0b6a1f9d4c0b7f6f3a2c1d00ffa9c3',
  },
  { what: 'the stack', field: 'redis run_id', planned: 'f2b1a0c9d8e7', now: null },
];

const step = (n: number, kind: string, title: string, over: Partial<PlanStepView> = {}): PlanStepView => ({
  n,
  kind,
  title,
  preview: '',
  command: '',
  risk: 'reversible',
  blast_radius: 'Nobody: it only looks.',
  instructions: [],
  facts: [],
  ...over,
});

const DIFF = `git apply
--- a/backend/app/settings.py
+++ b/backend/app/settings.py
@@ -41,7 +41,7 @@ class Settings(BaseSettings):
     redis_url: str
-    arq_queue: str = "arq:default"
+    arq_queue: str = "arq:ratiba"
     whatsapp_verify_token: str
     daraja_callback_url: str
     daraja_shortcode: str
     elevenlabs_voice: str = "amani"
     nudge_after_minutes: int = 30
     slot_window_days: int = 14
     log_format: str = "json"`;

const EVERY_KIND: PlanStepView[] = [
  step(1, 'backup', 'Back up the table tenant_amani_clinic.payments', {
    risk: 'read',
    preview: 'pg_dump -Fc -t tenant_amani_clinic.payments ratiba; given up after 120 s',
    after: 'tenant_amani_clinic.payments is kept, and it is shown that it can be restored',
    blast_radius: 'Nobody: it reads, and works beside what is there.',
  }),
  step(2, 'sql', 'Delete 1,204 expired payments of amani_clinic', {
    risk: 'destructive',
    preview:
      'DELETE FROM "tenant_amani_clinic".payments\nWHERE state = $1 AND created_at < $2\n  AND NOT EXISTS (SELECT 1 FROM "tenant_amani_clinic".bookings b WHERE b.payment_id = payments.id)\nRETURNING id\n\n$1 = \'expired\'  $2 = 2026-08-01T00:00:00+03:00\nexpects 1204 rows',
    before: '1,204 rows',
    after: '0 rows',
    blast_radius: 'Amani Family Clinic no longer sees these payments in its list.',
  }),
  step(3, 'redis', 'Let thread 01J9ZK of amani_clinic start again', {
    preview: 'HSET ratiba:fsm:01J9ZK state GREET\nonly if the value is still the one before',
    before: 'COLLECT_SLOT',
    after: 'GREET',
    blast_radius: 'The customer of this conversation is greeted again.',
    undo: { title: 'put back the value before in ratiba:fsm:01J9ZK' },
  }),
  step(4, 'dotenv', 'Set ARQ_QUEUE', {
    preview: '/srv/ratiba-lab/.env: ARQ_QUEUE=arq:ratiba\nall other lines and the file’s mode stay',
    before: '/srv/ratiba-lab/.env as it is (fingerprint 5d41402abc4b)',
    after: 'ARQ_QUEUE=arq:ratiba',
    blast_radius: 'Nobody until the worker is made again.',
    undo: { title: 'Put back /srv/ratiba-lab/.env as it was, byte for byte' },
  }),
  step(5, 'patch', 'Name the queue in the settings', {
    preview: DIFF,
    before: '1 file as git last knew it: backend/app/settings.py',
    after: 'patched, not committed',
    blast_radius: 'Nobody until the backend is made again.',
    undo: { title: 'Take the patch out of backend/app/settings.py again' },
  }),
  step(6, 'compose', 'Make the worker again with the new settings', {
    preview: '["docker-compose", "up", "-d", "--no-deps", "--force-recreate", "worker"]',
    before: 'worker: running since 09:12, container 77aa01bc',
    after: 'worker: running, healthy',
    blast_radius: 'Jobs wait for about 5 s.',
    undo: { title: 'Make it again from the settings before' },
  }),
  step(7, 'project', 'Bring up sip, livekit', {
    preview: 'docker-compose up -d sip livekit',
    before: '6 services running',
    after: '2 services running',
    blast_radius: 'Calls that ring now are lost.',
    undo: { title: 'Take the whole project down' },
  }),
  step(8, 'command', 'Forget the cached catalogue', {
    risk: 'destructive',
    preview:
      'docker exec ratiba-lab_backend_1 python -m app.tools.catalogue --forget --tenant amani_clinic\nin the running container of backend; ended after 60 s',
    after: 'lost for good: the cached catalogue',
    blast_radius: 'The next answer of each tenant takes about 2 s longer.',
  }),
  step(9, 'http', 'Register the callback address again', {
    preview: 'POST http://127.0.0.1:8010/admin/callbacks/register\n{"provider": "daraja"}',
    blast_radius: 'Daraja sends its callbacks to the new address.',
    undo: { title: 'Register the address before' },
  }),
  step(10, 'wait_until', 'Wait until the queue is empty, at most 60 s', {
    risk: 'read',
    preview: 'LLEN arq:ratiba is 0, looked at each second for at most 60 s',
    waits: { until: 'LLEN arq:ratiba is 0', within_s: 60 },
  }),
  step(11, 'manual', 'Tell Amani Family Clinic', {
    risk: 'read',
    blast_radius: 'Nobody.',
    facts: ['Amani Family Clinic lists its payments each morning at 08:00.'],
    instructions: [
      { what: 'Call the front desk.', where: 'the number under Tenants, Contacts' },
      'Say that payments before August are no longer listed.',
    ],
    waits: {
      until: 'somebody of the clinic has confirmed',
      asks: 'SELECT count(*) FROM public.notices WHERE tenant = \'amani_clinic\'\n-- gives exactly [{"count":1}]',
      within_s: 900,
    },
  }),
];

function everyKind(): Scenario {
  return {
    ...base(),
    triage: triage([
      verdict('e1-worker-wrong-queue', 'present', {
        reason: 'The worker listens to arq:default, and jobs are put into arq:ratiba.',
        evidence: [evidence('redis', 'arq:ratiba: length', 318)],
      }),
    ]),
    plans: {
      'e1-worker-wrong-queue': {
        steps: EVERY_KIND,
        confirm: { kind: 'phrase', phrase: 'amani_clinic payments' },
        act: 'Delete 1,204 expired payments of amani_clinic',
        impact: impact({
          rows: 1204,
          services: ['livekit', 'sip', 'worker'],
          tenants: ['amani_clinic', 'baraka_salon'],
          customers: 54,
          backups: ['Back up the table tenant_amani_clinic.payments'],
        }),
        preconditions: [
          {
            kind: 'redis',
            key: 'ratiba:fsm:01J9ZK',
            field: 'state',
            found: { kind: 'hash', value: 'COLLECT_SLOT' },
          },
          {
            kind: 'file',
            of: 'dotenv',
            facts: { path: '/srv/ratiba-lab/.env', fingerprint: 'hmac-sha256:5d41402abc4b2a76', mode: '600' },
          },
          { kind: 'answer', step: 9, guard: 0, what: 'the backend answers', holds: true },
        ],
      },
    },
  };
}

/** The stack with a run of the redis repair that was interrupted. */
function interruptedRun(at: InterruptedView, states: RunView['steps'][number]['state'][]): Scenario {
  const from = redisStopped();
  return { ...from, runs: [broken(RUN, at, states), ...from.runs] };
}

function broken(run: string, at: InterruptedView, states: RunView['steps'][number]['state'][]): RunView {
  const view = pastRun(run, 'fixed', 700);
  return {
    ...view,
    ended_at: NEVER,
    outcome: undefined,
    evidence: [],
    can_undo: false,
    interrupted: at,
    steps: view.steps.map((row, i) => {
      const state = states[i] ?? 'pending';
      if (state === 'pending') return notBegun({ ...row, state });
      if (state === 'done') return { ...row, state };
      return { ...row, state, ended_at: NEVER, detail: at.how, output: [] };
    }),
  };
}

const HAPPENED: InterruptedView = {
  n: 1,
  happened: true,
  how: 'redis is running as container 9f2c41ab77d0, started at 14:01:55, after the step began',
  can_resume: true,
  can_undo: true,
};

const UNKNOWN: InterruptedView = {
  n: 1,
  how: 'the engine does not answer, so redis can’t be looked at',
  can_resume: false,
  can_undo: false,
};

const IN_PART: InterruptedView = {
  n: 1,
  in_part: true,
  how: 'of its 2 files some are as this step makes them (app/agents/classifier.py) and some as before it (app/agents/prompts.py)',
  can_resume: true,
  can_undo: true,
};

function several(): Scenario {
  const from = interruptedRun(UNKNOWN, ['interrupted']);
  const elsewhere = {
    n: 2,
    how: 'the console has not said how this went',
    goes_on: 'amina@ops-2, pid 4711, run 01KAVX00000000000000000ELS',
    can_resume: false,
    can_undo: false,
  };
  return {
    ...from,
    runs: [
      broken('01KAVX00000000000000000ELS', elsewhere, ['done', 'running']),
      broken('01KAVX00000000000000000HAP', HAPPENED, ['done']),
      ...from.runs,
    ],
  };
}

const OWN_SHA = 'b1946ac92492d2347c6235b4d2611184e3b0c44298fc1c149afbf4c8996fb924';

/** The catalogue with a script from outside, or with a parameter, on one row. */
function withPage(id: string, over: Partial<PlaybookView>): PlaybookView[] {
  return catalog().map((one) => (one.id === id ? { ...one, ...over } : one));
}

function untrusted(): Scenario {
  const id = 'e5-tunnel-stale';
  return {
    ...base(),
    playbooks: withPage(id, {
      trust: 'untrusted',
      sha256: OWN_SHA,
      title: id,
      symptom: '',
      severity: 'minor',
      sections: [],
      error: `${id}.rhai: it is not part of the console, and nobody has trusted this text yet (b1946ac92492…)`,
    }),
    triage: triage([verdict(id, 'unknown', { reason: 'This script is not trusted, so it was not run.' })]),
    plans: {
      [id]: {
        steps: START_REDIS,
        confirm: { kind: 'click' },
        act: 'Register the address',
        preconditions: [],
        impact: impact({ customers: 0 }),
      },
    },
  };
}

function secret(): Scenario {
  const id = '02-whatsapp-signature-403';
  return {
    ...base(),
    triage: triage([
      verdict(id, 'present', {
        reason: 'Meta signs with another app secret than the backend checks with.',
        evidence: [evidence('logs', 'backend: refused webhooks in 10 min', 41)],
      }),
    ]),
    playbooks: withPage(id, {
      params: [
        {
          name: 'app_secret',
          label: 'App secret',
          kind: 'secret',
          help: 'The one that Meta shows under App settings, Basic.',
          choices: [],
          required: true,
        },
      ],
    }),
    plans: {
      [id]: {
        steps: [
          step(1, 'dotenv', 'Set WHATSAPP_APP_SECRET', {
            preview:
              '/srv/ratiba-lab/.env: WHATSAPP_APP_SECRET=(from env:META_APP_SECRET, fingerprint 9c1f02aa)',
            before: '/srv/ratiba-lab/.env as it is (fingerprint 5d41402abc4b)',
            after: 'WHATSAPP_APP_SECRET with the fingerprint 9c1f02aa',
            blast_radius: 'Nobody until the backend is made again.',
            undo: { title: 'Put back /srv/ratiba-lab/.env as it was, byte for byte' },
          }),
        ],
        confirm: { kind: 'click' },
        act: 'Set WHATSAPP_APP_SECRET',
        preconditions: [],
        impact: impact({ customers: 0 }),
      },
    },
  };
}

export const ACTING = {
  'every-kind': everyKind,
  'refused-confirm': (): Scenario => ({ ...redisStopped(), refused: { at: 'confirm', changes: MOVED } }),
  'refused-params': (): Scenario => ({ ...row5(), refused: { at: 'confirm', changes: MOVED.slice(2, 3) } }),
  'ends-in-doubt': (): Scenario => ({ ...redisStopped(), inDoubt: true }),
  'refused-run': (): Scenario => ({
    ...redisStopped(),
    refused: { at: 'start', changes: MOVED.slice(0, 2) },
  }),
  'changed-later': (): Scenario => ({
    ...redisStopped(),
    refused: { at: 'step', changes: MOVED.slice(1, 4) },
  }),
  interrupted: (): Scenario => ({
    ...interruptedRun(HAPPENED, ['done']),
    moved: MOVED.slice(0, 2),
  }),
  'interrupted-unknown': (): Scenario => interruptedRun(UNKNOWN, ['interrupted']),
  'interrupted-in-part': (): Scenario => interruptedRun(IN_PART, ['interrupted']),
  'interrupted-not-happened': (): Scenario =>
    interruptedRun(
      {
        n: 1,
        happened: false,
        how: 'redis is still container 4b0d99e1c2aa, exited',
        can_resume: true,
        can_undo: false,
      },
      ['pending'],
    ),
  'interrupted-at-the-end': (): Scenario =>
    interruptedRun({ how: 'between two steps, or while it was verified', can_resume: true, can_undo: true }, [
      'done',
      'done',
    ]),
  'interrupted-several': several,
  /** The answer to its only step was lost: the run has ended, and nobody knows how. */
  'in-doubt': (): Scenario => {
    const from = interruptedRun(UNKNOWN, ['interrupted']);
    return {
      ...from,
      runs: from.runs.map((run) =>
        run.run === RUN
          ? {
              ...run,
              outcome: 'unknown',
              ended_at: ago(690),
              reason: 'step 1: it is not known whether it happened',
            }
          : run,
      ),
    };
  },
  'journal-unreadable': (): Scenario => ({
    ...base(),
    journalError: 'the journal can’t be read: database disk image is malformed',
  }),
  untrusted,
  secret,
};
