/** Bundles that the fake host makes, keeps and writes, and one that a window is opened on. */
import type {
  BundleFile,
  BundlePreview,
  BundleRequest,
  BundleSave,
  BundleText,
  BundleView,
  BundleWritten,
  Captured,
  Environment,
  FileRow,
  Update,
} from '../generated/wire';
import { HostError } from '../host';
import { ago } from './stack';

const DIGEST = '795e50f0c1b2a7d4e6938c5b1f02a4d87c3e9b60514f8d2a7b6c1e0f9d8a3b42';
const HOME = '/home/otieno';
const RULES = 'ratiba-redact/1';

const COLLECTORS: Record<string, string> = {
  status: 'services, tenants, threads and payments as numbers',
  triage: "the four questions and every playbook's verdict",
  containers: 'what docker compose ps tells',
  logs: 'the last 200 lines of each log, and the time of the incident',
  tenants: 'each tenant with its parts',
  threads: 'stuck conversations',
  payments: 'payments, stuck ones first',
  journal: 'what this console did',
  git: 'the latest commits, and what changed',
  memos: 'close-out memos that mention what is seen',
  versions: 'what runs, by version',
  profile: 'the profile, without references to secrets',
};

/** What is said while it is made, in the order in which it is. */
const LINES = [
  'triage',
  'profile: 2 KiB',
  'status: 14 KiB',
  'triage: 61 KiB',
  'containers: 9 KiB',
  'journal: 118 KiB',
  'versions: 3 KiB',
  'threads: 0 KiB, 1 not collected',
  'git: 7 KiB',
  'memos: 4 KiB',
  'payments: 86 KiB',
  'tenants: 37 KiB',
  'logs: 9214 KiB, 1 not collected',
  'cleaning and packing',
];

function row(path: string, collector: string, bytes: number, over: Partial<FileRow> = {}): FileRow {
  return {
    path,
    collector,
    origin: 'what the console read',
    duration_ms: 214,
    bytes,
    sha256: '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae',
    redactions: {},
    state: 'ok',
    ...over,
  };
}

/** One that is not there has no content. */
function absent(
  path: string,
  collector: string,
  state: FileRow['state'],
  why: string,
  over: Partial<FileRow> = {},
): FileRow {
  return row(path, collector, 0, { sha256: undefined, origin: 'not collected', state, why, ...over });
}

function log(service: string, bytes: number, over: Partial<FileRow> = {}): FileRow {
  return row(`logs/${service}.log`, 'logs', bytes, {
    origin: `the log of ${service}, container ratiba-lab_${service}_1`,
    log: { name: service, container: '9f2c41ab77d0' },
    duration_ms: 1890,
    ...over,
  });
}

const FILES: FileRow[] = [
  row('README.md', 'the console', 6120, { origin: 'written by the console', duration_ms: 0 }),
  row('alembic.json', 'git', 212, { origin: "the database's revision beside the checkout's" }),
  row('compose-ps.json', 'containers', 8700, { redactions: { 'url-password': 2 } }),
  row('compose-ps.txt', 'containers', 1204, {
    argv: ['docker', 'compose', '--project-name', 'ratiba-lab', 'ps', '--all'],
    exit_code: 0,
    origin: 'the containers as a table',
  }),
  row('errors.json', 'the console', 640, { origin: 'written by the console', duration_ms: 0 }),
  row('git-diff-stat.txt', 'git', 940, {
    argv: ['git', 'diff', '--stat', 'a41f3c9'],
    exit_code: 0,
    origin: 'how the checkout differs from what it was',
  }),
  row('git-log.txt', 'git', 5806, { argv: ['git', 'log', '--max-count=50'], exit_code: 0 }),
  row('journal.jsonl', 'journal', 96_412, { origin: "the console's own journal", redactions: { phone: 6 } }),
  row('memos.json', 'memos', 3911),
  row('payment-details.jsonl', 'payments', 41_220, {
    redactions: { phone: 118, receipt: 37, message: 12 },
    duration_ms: 5120,
  }),
  row('payments.json', 'payments', 46_031, { redactions: { phone: 240, receipt: 61 }, duration_ms: 5120 }),
  row('profile.json', 'profile', 1480, { redactions: { assigned: 3 } }),
  row('redactions.json', 'the console', 9120, { origin: 'written by the console', duration_ms: 0 }),
  absent('run.json', 'journal', 'skipped', 'no run of this console was anything but a success'),
  row('runs.json', 'journal', 22_514, { origin: 'all runs of this console' }),
  row('snapshot.json', 'status', 14_208),
  row('tenants.jsonl', 'tenants', 37_120, { redactions: { words: 44, phone: 9 } }),
  absent(
    'threads.jsonl',
    'threads',
    'failed',
    'redis does not answer: connection refused on 127.0.0.1:6381',
    { duration_ms: 30_000 },
  ),
  row('triage.json', 'triage', 62_300, { redactions: { phone: 2 } }),
  row('versions.json', 'versions', 2710),
  log('backend', 4_812_400, {
    redactions: { phone: 1894, words: 412, bearer: 31, 'url-password': 12, jwt: 4 },
    truncated: 'the oldest 8120 entries (1204112 bytes)',
  }),
  absent(
    'logs/livekit.log',
    'logs',
    'withheld',
    'it holds 3 parts that can’t be read as text, so it can’t be cleaned',
    { origin: 'the log of livekit, container ratiba-lab_livekit_1', log: { name: 'livekit' } },
  ),
  log('ngrok', 18_220, { redactions: { flag: 1 } }),
  log('postgres', 212_004, { redactions: { 'sql-password': 2 } }),
  absent('logs/redis.log', 'logs', 'failed', 'it did not end within 60 s', {
    origin: 'the log of redis, container ratiba-lab_redis_1',
    log: { name: 'redis' },
    duration_ms: 60_000,
  }),
  log('sip', 64_018, { redactions: { phone: 88 } }),
  log('worker', 3_980_114, { redactions: { phone: 902, message: 318 } }),
  row('logs/files/nudge.log', 'logs', 12_004, {
    origin: 'the file /srv/ratiba-lab/logs/nudge.log',
    log: { name: '/srv/ratiba-lab/logs/nudge.log', zone: 'Africa/Nairobi' },
    redactions: { phone: 14 },
  }),
];

const README = `# ratiba-lab: a service is down or unhealthy

Captured 2026-11-26T17:28:13Z by ratiba-console 0.1.0 on the profile lab.

## What is wrong

1. row 1, present: redis has exited with code 137 and is not being restarted.
   - docker inspect: redis: state: exited, exit code 137, OOMKilled false
   - docker events: redis: last event: die at 14:01:07, exitCode=137
2. row 7, suspected: the worker can not take its jobs while redis is down.

## Since when

2026-11-26T17:26:05Z, redis: exited (137)

## What is not in it

threads.jsonl, logs/redis.log, logs/livekit.log: errors.json says why.
`;

const LOG = [
  'event=webhook.whatsapp.received from=‹phone-12› message_id=‹message-40›',
  'event=payment.stk.pushed to=‹phone-12› amount=1500 receipt=‹receipt-3›',
  'event=webhook.whatsapp.failed error="redis.exceptions.ConnectionError: Error 111"',
];

/** A file's beginning; of a long log as much as the core shows. */
function textOf({ path, bytes, origin }: FileRow): BundleText {
  if (path === 'README.md') return { text: README, left_out: 0 };
  if (path.startsWith('logs/')) {
    const lines = Array.from(
      { length: Math.min(1200, Math.ceil(bytes / 90)) },
      (_, i) =>
        `2026-11-26T17:${String(20 + Math.floor(i / 150)).padStart(2, '0')}:${String(i % 60).padStart(2, '0')}Z ${LOG[i % LOG.length] ?? ''}`,
    );
    const text = `${lines.join('\n')}\n`;
    return { text, left_out: Math.max(0, bytes - text.length) };
  }
  const text = `${JSON.stringify({ origin, captured_at: '2026-11-26T17:28:13Z', tenants: ['amani_clinic', 'baraka_salon'], caller: '‹phone-12›' }, null, 2)}\n`;
  return { text, left_out: 0 };
}

/** A bundle of this stack, as if it were captured now. */
function bundle({ name, kind, project }: Environment, request: BundleRequest): BundleView {
  const { without, note, since } = request;
  const files = FILES.map((file) =>
    without.includes(file.collector)
      ? absent(file.path, file.collector, 'skipped', 'it was not wanted')
      : file,
  );
  return {
    file: '',
    digest: DIGEST,
    size: 1_284_096,
    schema: 'ratiba-bundle/1',
    tool: { name: 'ratiba-console', version: '0.1.0' },
    captured_at: ago(0),
    stack: { profile: name, kind, project },
    window: {
      from: since ?? ago(728),
      until: ago(0),
      because: since === undefined ? 'from 10 minutes before the first bad sign' : 'as it was asked for',
    },
    ...(note === undefined ? {} : { note }),
    rules: RULES,
    pseudonyms: 214,
    files,
  };
}

/** The same with every text from outside replaced. */
function quoting(view: BundleView, says: string | undefined): BundleView {
  if (says === undefined) return view;
  const files = view.files.map((file) => ({
    ...file,
    origin: says,
    ...(file.why === undefined ? {} : { why: says }),
    ...(file.argv === undefined ? {} : { argv: [says] }),
    truncated: says,
  }));
  return { ...view, note: says, window: { ...view.window, because: says }, files };
}

const message = (
  project: string,
): string => `Wanjiku, I need help with ${project}: redis has exited with code 137 (and 1 more of the runbook's rows).
Since: 2026-11-26T17:26:05Z, redis: exited (137)
Tried: nothing with the console
The bundle is attached (captured 2026-11-26T17:28:13Z); begin with its README.md.
Check that it is this one: SHA-256 ${DIGEST}
`;

const DEVIATION = `## 2026-11-26: redis has exited with code 137

**Seen**

- row 1, present: A service is down or unhealthy
- row 7, suspected: Payments stay pending for too long

**Since when**: 2026-11-26T17:26:05Z, redis: exited (137)

**What was tried**

- nothing by the console

**What deviates from the plan**: (to be written: what the pilot was to do, and what it did instead)

**Decision**: (to be written: accept, work around, or fix before the next session; who decides)

**Bundle**: SHA-256 \`${DIGEST}\`, captured 2026-11-26T17:28:13Z
`;

/** The window's bundle, opened. */
export const CAPTURED_FILE = `${HOME}/Downloads/ratiba-escalation-20261120T172813Z-795e50.zip`;

export function captured(at: string): Captured {
  return { file: CAPTURED_FILE, at, digest: DIGEST };
}

/** Commands that a bundle answers. */
const ANSWERED = new Set([
  'snapshot',
  'triage',
  'playbooks',
  'runbook',
  'playbook',
  'runs',
  'run',
  'logs',
  'logs_close',
  'payments_page',
  'payment',
  'thread',
  'tenant',
  'bundle_opened',
  'bundle_file',
]);

/** Refuses what a bundle can't answer. */
export function refuseCaptured(command: string, { file, at }: Captured): void {
  if (ANSWERED.has(command)) return;
  throw new HostError({
    code: 'refused',
    message: `${command.replaceAll('_', ' ')}: ${file} is a bundle, captured ${at}: nothing can be asked or done there`,
    hint: "Name the stack's own profile with --profile.",
  });
}

/** Everything in a state as if it had been so long ago. */
export function shifted<T>(state: T, ms: number): T {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
  const moved = (value: unknown): unknown => {
    if (typeof value === 'string')
      return time.test(value) ? new Date(Date.parse(value) + ms).toISOString() : value;
    if (Array.isArray(value)) return value.map(moved);
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, moved(one)]));
    return value;
  };
  return moved(state) as T;
}

/** Why no bundle can be made, for a scenario in which none can. */
export const LEAKS = {
  code: 'failed',
  message:
    'make the bundle: something that must not leave is still in it: logs/backend.log: a value of META_APP_SECRET',
  hint: 'Nothing was written. Leave out what it is in with --without, and report this.',
};

interface Around {
  environment: () => Environment;
  /** Milliseconds between two lines. */
  pace: number;
  /** The number of lines after which it stays until it is released. */
  hold: number | undefined;
  tell: (update: Update) => void;
  /** Why no bundle can be made. */
  trouble: { code: string; message: string; hint: string } | undefined;
  /** What it says wherever it quotes something from outside; absent: what such a stack says. */
  says: string | undefined;
}

export class FakeBundles {
  readonly #around: Around;
  #made: BundleView | undefined;
  #stop: ((error: HostError) => void) | undefined;
  #release: (() => void) | undefined;
  /** What is there already. */
  readonly #there = new Set([`${HOME}/Downloads/taken.zip`]);

  constructor(around: Around) {
    this.#around = around;
  }

  async preview(request: BundleRequest): Promise<BundlePreview> {
    this.#made = undefined;
    this.cancel();
    await new Promise<void>((done, stop) => {
      this.#stop = stop;
      this.#say(LINES, done);
    });
    this.#stop = undefined;
    if (this.#around.trouble !== undefined) throw new HostError(this.#around.trouble);
    const environment = this.#around.environment();
    this.#made = quoting(bundle(environment, request), this.#around.says);
    const at = this.#made.captured_at.replace(/[-:]|\.\d+/g, '');
    return {
      bundle: this.#made,
      collectors: COLLECTORS,
      message: this.#around.says ?? message(environment.project),
      deviation: this.#around.says ?? DEVIATION,
      file: `${HOME}/Downloads/ratiba-escalation-${at}-${DIGEST.slice(0, 6)}.zip`,
    };
  }

  cancel(): void {
    this.#stop?.(
      new HostError({
        code: 'cancelled',
        message: 'make the bundle: it was stopped',
        hint: 'Nothing was written.',
      }),
    );
    this.#stop = undefined;
    this.#release = undefined;
  }

  release(): void {
    this.#release?.();
    this.#release = undefined;
  }

  file({ digest, path }: BundleFile, opened: Captured | undefined): BundleText {
    if (opened === undefined) this.#known(digest);
    const found = FILES.find((file) => file.path === path && file.state === 'ok');
    if (found === undefined)
      throw new HostError({
        code: 'not_found',
        message: `show ${path} of the bundle: it has no such file`,
        hint: 'Choose a file that is in it.',
      });
    const { says } = this.#around;
    return says === undefined ? textOf(found) : { text: says, left_out: 0 };
  }

  opened({ file, at }: Captured): BundleView {
    const made = bundle(this.#around.environment(), { without: [], note: 'Calls drop since the last pull.' });
    const ms = Date.parse(at) - Date.now();
    return { ...shifted(made, ms), file, captured_at: at };
  }

  save({ digest, file }: BundleSave): BundleWritten {
    const made = this.#known(digest);
    const place = file.replace(/^~/, HOME);
    const hint = 'Choose another place with -o.';
    const refused = (why: string): HostError =>
      new HostError({ code: 'usage', message: `write the bundle to ${place}: ${why}`, hint });
    if (!place.startsWith('/'))
      throw new HostError({
        code: 'usage',
        message: `write the bundle to ${file}: that says not where`,
        hint: 'Give a whole path, such as ~/Downloads/NAME.zip.',
      });
    if (!place.endsWith('.zip')) throw refused('its name must end with .zip');
    if (this.#there.has(place)) throw refused(`${place} is there already, and nothing is overwritten`);
    this.#there.add(place);
    const stem = place.slice(0, -'.zip'.length);
    return {
      ...made,
      file: place,
      beside: {
        pseudonyms: `${stem}.pseudonyms.json`,
        message: `${stem}.message.txt`,
        deviation: `${stem}.deviation.md`,
        sum: `${place}.sha256`,
      },
    };
  }

  #known(digest: string): BundleView {
    if (this.#made?.digest === digest) return this.#made;
    throw new HostError({
      code: 'not_found',
      message: 'find the bundle that was shown: there is another one, or none',
      hint: 'Collect it again.',
    });
  }

  /** One line after the other, until it is stopped. */
  #say(lines: readonly string[], done: () => void): void {
    const mine = this.#stop;
    const [line, ...rest] = lines;
    if (line === undefined) {
      done();
      return;
    }
    const said = LINES.length - lines.length;
    const next = (): void => {
      if (this.#stop !== mine) return;
      this.#around.tell({ type: 'bundle', line });
      this.#say(rest, done);
    };
    if (said === this.#around.hold) this.#release = next;
    else setTimeout(next, this.#around.pace);
  }
}
