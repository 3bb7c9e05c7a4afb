/** Rows of the runbook with parameters, and with what is lost. */
import type { Subject } from '../generated/wire';
import { runbook } from './memory';
import { base, type Scenario } from './scenario';
import {
  ago,
  catalog,
  evidence,
  impact,
  withShown,
  snapshot,
  tenant,
  tenants,
  triage,
  verdict,
} from './stack';

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
        withShown(evidence('postgres', `tenant_${subject.tenant}: active staff without a schedule`, 2), {
          items: ['Wanjiku Kamau', 'Otieno Odhiambo', 'Fatma Hassan'].map((name, i) => ({
            name,
            active: i < 2,
            'rows of working hours': 0,
          })),
        }),
        withShown(evidence('redis', `threads in COLLECT_SLOT with 3 or more re-prompts`, n), {
          items: Array.from({ length: Math.min(n, 20) }, (_, i) => ({
            thread: `01J9ZK${String(i).padStart(20, '0')}`,
            channel: i % 2 === 0 ? 'whatsapp' : 'voice',
            from: '•••678',
            're-prompts': 3 + i,
          })),
        }),
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
      when: {
        at: ago(2400),
        what: 'amani_clinic: a thread is stuck in COLLECT_SLOT',
        source: 'redis',
        not_known_of: [],
        signs: [{ at: ago(2400), what: 'amani_clinic: a thread is stuck in COLLECT_SLOT', source: 'redis' }],
        deeds: [],
        unread: [],
      },
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
            facts: [],
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
            facts: [],
            waits: { until: 'a free slot is offered to amani_clinic', within_s: 30 },
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
    runbook: runbook(),
    outcome: 'fixed',
  };
}

export function row12(): Scenario {
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
            facts: [],
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
            facts: [],
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
              { what: 'Say where the backup is.', where: 'the same channel' },
            ],
            facts: [],
            waits: { until: 'the channel has a message about test_tenant_9f31', within_s: 600 },
          },
        ],
        confirm: { kind: 'phrase', phrase: 'test_tenant_9f31' },
        act: 'Drop test_tenant_9f31',
        impact: impact({
          rows: undefined,
          uncounted: [2],
          customers: undefined,
          backups: ['Back up test_tenant_9f31 and restore it for a test'],
        }),
        preconditions: [{ kind: 'rows', step: 2, guard: 0, what: 'nobody uses the schema', rows: [] }],
      },
    },
  };
}
