/** Redis is stopped: its repair, and runs of it. */
import type {
  FailingService,
  LogSign,
  PlanStepView,
  RunOutcome,
  RunStepView,
  RunView,
} from '../generated/wire';
import { runbook } from './memory';
import type { Scenario } from './scenario';
import {
  NEVER,
  ago,
  catalog,
  evidence,
  impact,
  services,
  snapshot,
  source,
  SOURCES,
  tenants,
  tile,
  triage,
  verdict,
  withShown,
} from './stack';

const LAST_LINES = {
  items: [
    '1:M 24 Nov 2026 14:00:58.114 * 100 changes in 300 seconds. Saving...',
    '1:M 24 Nov 2026 14:00:58.121 * Background saving started by pid 41',
    '41:C 24 Nov 2026 14:00:58.203 * DB saved on disk',
    '1:M 24 Nov 2026 14:00:58.222 * Background saving terminated with success',
    '1:signal-handler (•••067) Received SIGTERM scheduling shutdown...',
    '1:M 24 Nov 2026 14:01:07.310 # User requested shutdown...',
    '1:M 24 Nov 2026 14:01:07.318 # Redis is now ready to exit, bye bye...',
  ],
  cut: 'not shown: 13 earlier lines',
};

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
    facts: [],
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
    facts: [],
    waits: { until: 'redis runs and its health check passes', within_s: 60 },
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
            withShown(evidence('docker inspect', 'redis: state', 'exited, exit code 137, OOMKilled false'), {
              items: [
                {
                  container: '4b0d99e1c2aa',
                  'exit code': 137,
                  image: 'redis:7.2-alpine',
                  'memory limit': '256 MiB',
                  'restart policy': 'no',
                  started: '2026-11-24T09:12:41Z',
                },
              ],
            }),
            evidence('docker events', 'redis: last event', 'die at 14:01:07, exitCode=137'),
            evidence('host', 'port 127.0.0.1:6381', 'nobody listens'),
            evidence('docker inspect', 'redis: restart policy', 'no', false),
            withShown(evidence('logs', 'redis: last lines', 'no error before the end', true), LAST_LINES),
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
          failing('redis', 'crit', 'exited (137)', { state: 'exited', health: 'none', since: ago(127) }),
          failing('backend', 'warn', 'health check fails', {
            health: 'unhealthy',
            since: ago(96),
            depends_on: ['postgres', 'redis'],
            after: 'redis',
          }),
          failing('worker', 'warn', 'restarting', {
            state: 'restarting',
            depends_on: ['postgres', 'redis'],
            after: 'redis',
          }),
        ],
        when: {
          at: ago(128),
          what: 'redis: exited (137)',
          source: 'docker',
          not_known_of: ['worker'],
          signs: [
            { at: ago(128), what: 'redis: exited (137)', source: 'docker' },
            { at: ago(96), what: 'backend: redis.exceptions.ConnectionError', source: 'logs' },
          ],
          deeds: [
            { at: ago(300), what: 'pull: Fast-forward', source: 'git' },
            { at: ago(90_000), what: 'made: 8 containers', source: 'docker' },
          ],
          lead: { at: ago(300), what: 'pull: Fast-forward', source: 'git' },
          unread: [],
        },
        logs: [
          badLine(
            'backend',
            'error',
            96,
            14,
            true,
            'redis.exceptions.ConnectionError: Error 111 connecting to redis:6379. Connection refused.',
          ),
          badLine(
            'worker',
            'warning',
            60,
            5,
            true,
            'arq.worker: redis connection error, 5 retries remaining',
          ),
          badLine(
            'redis',
            'warning',
            128,
            1,
            false,
            '1:signal-handler (1764000067) Received SIGTERM scheduling shutdown...',
          ),
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
    runbook: runbook(),
    outcome: 'fixed',
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
    undone_in_part: false,
    can_undo: outcome === 'fixed',
  };
}

export function notBegun(row: RunStepView): RunStepView {
  return { ...row, started_at: NEVER, ended_at: NEVER, detail: undefined, output: [] };
}

/** A service that is not well. */
function failing(
  service: string,
  mark: FailingService['mark'],
  detail: string,
  over: Partial<FailingService> = {},
): FailingService {
  return {
    service,
    mark,
    detail,
    state: 'running',
    health: 'none',
    ports: [],
    depends_on: [],
    source: 'docker',
    as_of: ago(2),
    ...over,
  };
}

/** Bad lines of one shape. */
function badLine(
  service: string,
  level: string,
  secondsAgo: number,
  count: number,
  is_new: boolean,
  line: string,
): LogSign {
  return { service, level, line, shape: line, count, at: ago(secondsAgo), last: ago(3), is_new };
}
