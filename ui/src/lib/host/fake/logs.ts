/** The logs of the fake host: it answers as the core does, and writes on where a scenario does. */
import type { Histogram, LogLineView, LogRequest, LogsView, Update } from '../generated/wire';
import { HostError } from '../host';
import { hostileLines, line, redisGone, sorted, steady, THREADS } from './log-lines';
import { redisStopped } from './redis';
import { base, type Scenario } from './scenario';
import { services } from './stack';

/** What a scenario's logs hold. */
export interface Logging {
  lines: LogLineView[];
  services: string[];
  notes?: string[];
  /** The next lines that are written while one looks; absent: none. */
  next?: () => LogLineView[];
  /** Why they can't be read. */
  away?: { code: string; message: string; hint: string };
}

const SERVICES = services().map((one) => one.service);

export function usualLog(): Logging {
  return { lines: sorted([...steady(6 * 3600, 900), ...steady(900, 420, 11)]), services: SERVICES };
}

function brokenLog(): Logging {
  return { lines: sorted([...usualLog().lines, ...redisGone()]), services: SERVICES };
}

function busyLog(): Logging {
  let n = 0;
  const next = (): LogLineView[] =>
    Array.from({ length: 3 }, () => {
      const [thread_id, tenant] = THREADS[n % THREADS.length] ?? THREADS[0];
      n += 1;
      return line(0, 'backend', n % 20 === 0 ? 'error' : 'info', `busy.line  n=${n}`, { thread_id, tenant });
    });
  return { ...usualLog(), next };
}

/** More than can be shown. */
function manyLines(): Logging {
  return { lines: steady(840, 25_000), services: SERVICES };
}

function partialLog(): Logging {
  const own = line(30, 'livekit', 'trace2', 'a level of its own');
  const untimed = { ...line(20, 'sip', '', 'nobody knows when this was written'), ts: null };
  return {
    lines: [...sorted([...brokenLog().lines, own]), untimed],
    services: [...SERVICES, '/srv/ratiba/backend/.uvicorn.log'],
    notes: [
      'The log of sip can’t be read: its log driver is none, so the engine keeps nothing.',
      'worker was made anew 41 min ago: what its last container wrote is gone.',
    ],
  };
}

const AWAY = {
  code: 'unreachable',
  message: 'read the logs: the Docker engine does not answer at /var/run/docker.sock',
  hint: 'Start Docker, or name its socket in the profile.',
};

const NONE = {
  code: 'not_found',
  message: 'read the logs: the stack has no container and no log file',
  hint: 'Start the stack first.',
};

/** Scenarios that are about logs alone. */
export const LOGGING = {
  'logs-busy': (): Scenario => ({ ...base(), logging: busyLog() }),
  'logs-many': (): Scenario => ({ ...base(), logging: manyLines() }),
  'logs-quiet': (): Scenario => ({
    ...base(),
    logging: {
      lines: steady(5 * 3600, 40).filter(({ ts }) => Date.now() - Date.parse(ts ?? '') > 3.7e6),
      services: SERVICES,
    },
  }),
  'logs-partial': (): Scenario => ({ ...redisStopped(), logging: partialLog() }),
  'logs-away': (): Scenario => ({ ...base(), logging: { lines: [], services: [], away: AWAY } }),
};

/** The logs that belong to a scenario which does not say. */
export function loggingOf(name: string, scenario: Scenario): Logging {
  if (scenario.logging !== undefined) return scenario.logging;
  if (name === 'hostile')
    return {
      lines: [...usualLog().lines, ...hostileLines()],
      services: [...SERVICES, hostileLines()[0]?.service ?? ''],
    };
  if (scenario.snapshot.services.length === 0) return { lines: [], services: [], away: NONE };
  return scenario.snapshot.services.some((one) => one.mark === 'crit') ? brokenLog() : usualLog();
}

const SEVERITIES = ['', 'debug', 'info', 'warning', 'error', 'critical'];

export class FakeLogs {
  readonly #of: Logging;
  readonly #pace: number;
  readonly #tell: (update: Update) => void;
  #serial = 0;
  #open: { session: string; request: LogRequest } | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(of: Logging, pace: number, tell: (update: Update) => void) {
    this.#of = of;
    this.#pace = pace;
    this.#tell = tell;
  }

  logs(request: LogRequest): LogsView {
    const { away, lines, notes = [], services } = this.#of;
    const wanted = filter(request);
    if (away !== undefined) throw new HostError(away);
    const found = lines.filter(wanted);
    const most = request.last === 0 ? 2000 : request.last;
    const session = `01KAVXLOGS${String(++this.#serial).padStart(16, '0')}`;
    this.close(this.#open?.session ?? '');
    if (request.follow) this.#open = { session, request };
    const { next } = this.#of;
    if (request.follow && next !== undefined) this.#timer = setInterval(() => this.write(next()), this.#pace);
    return {
      session,
      lines: found.slice(-most),
      earlier: Math.max(0, found.length - most),
      histogram: histogram(found),
      notes,
      services,
    };
  }

  close(session: string): void {
    if (this.#open?.session !== session) return;
    clearInterval(this.#timer);
    this.#open = undefined;
  }

  /** The stack writes these. */
  write(lines: LogLineView[], over: { notes?: string[]; is_over?: boolean } = {}): void {
    this.#of.lines.push(...lines);
    if (this.#open === undefined) return;
    const { session, request } = this.#open;
    const news = { session, lines: lines.filter(filter(request)), notes: [], is_over: false, ...over };
    this.#tell({ type: 'log', news });
  }
}

function filter(request: LogRequest): (line: LogLineView) => boolean {
  const { services: of, thread, tenant, level, since, until } = request;
  const grep = request.grep === undefined ? undefined : pattern(request.grep);
  const least = SEVERITIES.indexOf(level ?? '');
  return (one) =>
    (of.length === 0 || of.includes(one.service)) &&
    (thread === undefined || one.thread_id === thread) &&
    (tenant === undefined || one.tenant === tenant) &&
    (level === undefined || SEVERITIES.indexOf(one.level) >= least) &&
    (grep === undefined || grep.test(one.text)) &&
    (since === null || (one.ts ?? since) >= since) &&
    (until === null || (one.ts ?? '') < until);
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text, 'u');
  } catch {
    throw new HostError({
      code: 'usage',
      message: `read the logs: the pattern "${text}" is no regular expression: unclosed group`,
      hint: '`ratibactl logs --help` shows the form.',
    });
  }
}

const LENGTHS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];

function histogram(lines: readonly LogLineView[]): Histogram {
  const timed = lines.filter(({ ts }) => ts !== null);
  const seconds = timed.map(({ ts }) => Math.floor(Date.parse(ts ?? '') / 1000));
  const untimed = lines.length - timed.length;
  if (seconds.length === 0) return { span_s: 0, spans: [], untimed };
  const first = seconds.reduce((a, b) => Math.min(a, b));
  const last = seconds.reduce((a, b) => Math.max(a, b));
  const at = (second: number, length: number): number => Math.floor(second / length);
  const length = LENGTHS.find((one) => at(last, one) - at(first, one) < 60) ?? 7200;
  const spans = Array.from({ length: at(last, length) - at(first, length) + 1 }, (_, i) => ({
    at: new Date((at(first, length) + i) * length * 1000).toISOString(),
    lines: 0,
    warnings: 0,
    errors: 0,
  }));
  timed.forEach((one, i) => {
    const span = spans[at(seconds[i] ?? 0, length) - at(first, length)];
    if (span === undefined) return;
    span.lines += 1;
    if (one.level === 'warning') span.warnings += 1;
    if (one.level === 'error' || one.level === 'critical') span.errors += 1;
  });
  return { span_s: length, spans, untimed };
}
