/** The stack that the fake host shows: builders for tiles, tenants and sources, and the shipped catalogue. */
import type {
  Environment,
  Evidence,
  Impact,
  PaymentStuck,
  PlaybookView,
  ServiceView,
  SnapshotView,
  Shown,
  SourceName,
  SourceState,
  Subject,
  TenantView,
  TriageView,
  Verdict,
  VerdictKind,
} from '../generated/wire';

/** The wire leaves such a time out; its generated type does not say so. */
export const NEVER = undefined as unknown as string;

/** Time stamps are told as seconds ago, so that ages tick in every scenario. */
export function ago(seconds: number): string {
  return new Date(Date.now() - seconds * 1000).toISOString();
}

export const SOURCES: SourceName[] = [
  'docker',
  'compose',
  'postgres',
  'redis',
  'logs',
  'repo',
  'host',
  'http',
];

export function source(name: SourceName, over: Partial<SourceState> = {}): SourceState {
  return { name, status: 'ok', as_of: ago(2), ...over };
}

export function tile(service: string, over: Partial<ServiceView> = {}): ServiceView {
  return {
    service,
    state: 'running',
    health: 'healthy',
    mark: 'ok',
    detail: 'running, health check passes',
    container_id: '9f2c41ab77d0',
    started_at: ago(4 * 3600),
    since: ago(4 * 3600),
    restarts: 0,
    memory_bytes: 96 * 1024 * 1024,
    ports: [],
    as_of: ago(2),
    ...over,
  };
}

export function services(): ServiceView[] {
  return [
    tile('postgres', {
      ports: ['127.0.0.1:5434 -> 5432/tcp'],
      memory_bytes: 212e6,
      memory_limit_bytes: 1024 ** 3,
    }),
    tile('redis', { ports: ['127.0.0.1:6381 -> 6379/tcp'], memory_bytes: 31e6 }),
    tile('backend', {
      ports: ['127.0.0.1:8010 -> 8010/tcp'],
      memory_bytes: 388e6,
      memory_limit_bytes: 1024 ** 3,
    }),
    tile('worker', {
      health: 'none',
      detail: 'running, no health check',
      memory_bytes: 164e6,
      memory_limit_bytes: 1024 ** 3,
    }),
    tile('frontend', { ports: ['127.0.0.1:3010 -> 3000/tcp'], memory_bytes: 240e6 }),
    tile('livekit', {
      health: 'none',
      detail: 'running, no health check',
      ports: ['127.0.0.1:7890 -> 7880/tcp'],
    }),
    tile('sip', { health: 'none', detail: 'running, no health check' }),
    tile('ngrok', {
      health: 'none',
      detail: 'running, no health check',
      ports: ['127.0.0.1:4040 -> 4040/tcp'],
    }),
  ];
}

export function tenant(slug: string, name: string, over: Partial<TenantView> = {}): TenantView {
  return {
    slug,
    name,
    vertical: 'clinic',
    threads: { GREET: 4, COLLECT_SERVICE: 3, COLLECT_SLOT: 5, PAYMENT_PENDING: 1, CONFIRMED: 41 },
    stuck_threads: 0,
    payments: { initiated: 2, paid: 118, failed: 6, cancelled: 3 },
    stuck_payments: 0,
    oldest_stuck_payment: undefined as unknown as string,
    mark: 'ok',
    detail: 'nothing stuck',
    as_of: ago(3),
    ...over,
  };
}

export function tenants(): TenantView[] {
  return [
    tenant('amani_clinic', 'Amani Family Clinic'),
    tenant('baraka_salon', 'Baraka Hair & Beauty', {
      vertical: 'salon',
      payments: { initiated: 1, paid: 64, failed: 2 },
    }),
    tenant('duma_motors', 'Duma Motors Service Bay', {
      vertical: 'garage',
      threads: { GREET: 1, CONFIRMED: 12 },
    }),
    tenant('jua_dental', 'Jua Dental Studio', {
      payments: { initiated: 0, paid: 77, failed: 1, cancelled: 4 },
    }),
    tenant('zuri_spa', 'Zuri Spa & Wellness Centre Westlands', { vertical: 'salon' }),
  ];
}

export function payments(): PaymentStuck[] {
  return [
    { state: 'initiated', count: 7, stuck: 0, oldest_stuck: null },
    { state: 'paid', count: 495, stuck: 0, oldest_stuck: null },
    { state: 'failed', count: 21, stuck: 0, oldest_stuck: null },
    { state: 'cancelled', count: 13, stuck: 0, oldest_stuck: null },
  ];
}

export const LAB: Environment = { name: 'lab', kind: 'lab', read_only: false, project: 'ratiba-lab' };

export function snapshot(over: Partial<SnapshotView> = {}): SnapshotView {
  return {
    profile: LAB.name,
    environment: LAB,
    revision: 41,
    taken_at: ago(1),
    sources: SOURCES.map((name, i) => source(name, { as_of: ago([1, 14, 3, 2, 2, 26, 5, 8][i] ?? 2) })),
    services: services(),
    tenants: tenants(),
    payments: payments(),
    unreadable_threads: [],
    ...over,
  };
}

/** Nothing is touched, and who is in a conversation could not be asked. The wire leaves that number out then. */
export function impact(over: Partial<Impact> = {}): Impact {
  return { rows: 0, uncounted: [], keys: [], services: [], tenants: [], backups: [], ...over } as Impact;
}

export function evidence(from: string, what: string, value: unknown, against = false): Evidence {
  return { source: from, what, value, as_of: ago(3), ...(against ? { against: true } : {}) };
}

/** The same with what was looked at itself. */
export function withShown(of: Evidence, shown: Shown): Evidence {
  return { ...of, shown };
}

type Line = [
  id: string,
  row: number | string,
  title: string,
  severity: PlaybookView['severity'],
  symptom: string,
];

const LINES: Line[] = [
  [
    '01-service-unhealthy',
    1,
    'A service is down or unhealthy',
    'critical',
    'A tile is not healthy; requests fail or hang.',
  ],
  [
    '02-whatsapp-signature-403',
    2,
    'WhatsApp webhooks are refused (403)',
    'critical',
    'Messages reach Meta, and nothing reaches the bot.',
  ],
  [
    '03-livekit-sip-down',
    3,
    'Calls do not reach LiveKit SIP',
    'critical',
    'A caller hears nothing or a busy tone.',
  ],
  [
    '04-stk-callback-missing',
    4,
    'No STK callback arrives',
    'critical',
    'The customer paid, and the booking stays unpaid.',
  ],
  [
    '05-fsm-stuck-collect-slot',
    5,
    'Customers are stuck choosing a slot',
    'major',
    'The bot keeps asking for a time and offers none.',
  ],
  ['06-intent-no-route', 6, 'An intent has no route', 'major', 'The bot repeats its greeting.'],
  [
    '07-payment-pending-timeout',
    7,
    'Payments stay pending for too long',
    'critical',
    'PAYMENT_PENDING for more than a minute.',
  ],
  ['08-stk-cancelled', 8, 'STK prompts are cancelled', 'minor', 'The prompt is closed, or closes by itself.'],
  [
    '09-tts-latency',
    9,
    'The voice answers too slowly',
    'major',
    'More than 2.5 s of silence before each answer.',
  ],
  ['10-backend-memory', 10, 'The backend runs out of memory', 'critical', 'The backend hangs or is killed.'],
  [
    '11-knowledge-overflow',
    11,
    'A tenant has too much knowledge',
    'minor',
    'Answers leave out what the tenant wrote.',
  ],
  [
    '12-leftover-test-schemas',
    12,
    'Test schemas were left behind',
    'minor',
    'The next test run fails on a schema that exists.',
  ],
  ['13-alembic-heads', 13, 'Alembic has more than one head', 'major', 'A migration refuses to run.'],
  [
    'e1-worker-wrong-queue',
    'e1',
    'The worker listens to the wrong queue',
    'major',
    'Jobs wait and nobody takes them.',
  ],
  ['e2-env-drift', 'e2', 'A container runs with old settings', 'major', 'A change in .env has no effect.'],
  ['e3-disk-full', 'e3', 'The disk is nearly full', 'critical', 'Writes fail.'],
  ['e4-clock-skew', 'e4', 'Clocks disagree', 'minor', 'Signatures and time stamps are refused.'],
  ['e5-tunnel-stale', 'e5', 'The tunnel points elsewhere', 'major', 'Callbacks go to an old address.'],
];

const SECTIONS: Record<string, string> = {
  Symptom:
    'The tile of a service is not healthy, or its container has exited. What depends on it fails with it, and those failures are shown as explained by this one.',
  Diagnosis:
    'The engine’s own facts of every container of the project, stopped ones\nincluded. The cause decides the repair:\n- port clash: the container is created, exit code 128, its log is empty\n- killed for memory: the kernel’s OOM killer struck\n- stopped: it ended with code 0, or was stopped from outside',
  'What it changes':
    'One service only: it is started, restarted or made again by compose, without its dependencies. No volume is touched.',
  'How it is checked':
    'The service is healthy three times in a row, it answers a request of its own kind, and its restart count stays the same.',
  Undo: 'A service that was stopped before is stopped again, after looking that it is still the same container.',
  'Runbook errata':
    'The runbook lists services without `-a`, which hides exited ones. It restarts everything, where one service is enough. `down -v` cures neither a port clash nor a version mismatch, and destroys every tenant.',
};

export function catalog(): PlaybookView[] {
  return LINES.map(([id, row, title, severity, symptom]) => ({
    id,
    file: `${id}.rhai`,
    row,
    title,
    symptom,
    severity,
    params: [],
    sha256: 'b1946ac92492d2347c6235b4d2611184b1946ac92492d2347c6235b4d2611184',
    trust: 'shipped' as const,
    sections: Object.entries(SECTIONS).map(([heading, text]) => ({ heading, text })),
  }));
}

export function verdict(
  id: string,
  kind: VerdictKind,
  over: Partial<Omit<Verdict, 'playbook' | 'verdict'>> & { subject?: Subject } = {},
): Verdict {
  const line = LINES.find(([known]) => known === id);
  return {
    playbook: id,
    row: line?.[1] ?? 0,
    title: line?.[2] ?? id,
    verdict: kind,
    rank: 0,
    subject: {},
    confidence: kind === 'present' ? 0.97 : 0.5,
    evidence: [],
    ...over,
  };
}

/** A ranking: the verdicts given, then every other playbook as absent. */
export function triage(given: Verdict[], over: Partial<TriageView> = {}): TriageView {
  const named = new Set(given.map((one) => one.playbook));
  const rest = LINES.filter(([id]) => !named.has(id)).map(([id]) =>
    verdict(id, 'absent', {
      evidence: [evidence('docker inspect', 'all services', 'as they should be', true)],
    }),
  );
  const ranked = [...given, ...rest].map((one, i) => ({ ...one, rank: i + 1 }));
  return {
    taken_at: ago(1),
    elapsed_ms: 412,
    which: [],
    when: { not_known_of: [], signs: [], deeds: [], unread: [] },
    changed: {
      commits: ['a41f3c9 Move the nudge window to settings', '77be012 Seed the salon catalogue'],
      head: 'main at a41f3c9',
      diff_stat: [],
      alembic: { database: ['0007'], heads: ['0007'], says: "the database is at the checkout's head" },
      drift: [],
      unread: [],
    },
    logs: [],
    logs_read: { since: ago(3600), from: ago(7200), own: 2, notes: [] },
    ranked,
    ...over,
  };
}
