/** What is remembered of the rows: last sightings, and what the drills have proven. */
import type { DrillView, RunbookRow, RunbookView } from '../generated/wire';
import { ago, catalog } from './stack';

const COMMIT = 'fb94dccf5a1c04784a93d4fca28ecdf81c55d513';
const DAY = 86_400;

function drill(variant: string, title: string, over: Partial<DrillView> = {}): DrillView {
  return {
    variant,
    title,
    is_proven: true,
    at: ago(2 * DAY),
    commit: COMMIT,
    outcome: 'undone',
    seconds: 14.2,
    is_of_another_text: false,
    ...over,
  };
}

const NEVER_RUN: Partial<DrillView> = {
  is_proven: false,
  at: undefined,
  commit: undefined,
  outcome: undefined,
  seconds: undefined,
};

/** Drills by the row they are of; any other row has two that are proven. */
const DRILLS: Record<string, DrillView[]> = {
  '01-service-unhealthy': [
    drill('stopped', 'redis is stopped'),
    drill('paused', 'the worker is frozen', { seconds: 9.1 }),
    drill('port-clash', 'somebody else holds the port of redis', { seconds: 21.7 }),
    drill('oom', 'the worker is killed for memory', { at: ago(5 * DAY), outcome: 'fixed' }),
  ],
  '03-livekit-sip-down': [
    drill('down', 'livekit is stopped'),
    drill('trunks-gone', 'the trunks are gone from Redis', { is_proven: false, outcome: 'failed' }),
    drill('calls', 'calls are in progress', NEVER_RUN),
  ],
  '09-tts-latency': [
    drill('slow', 'each turn is slow', NEVER_RUN),
    drill('quota', 'the quota is used up', NEVER_RUN),
  ],
  '11-knowledge-overflow': [
    drill('many', 'too many snippets', { is_of_another_text: true }),
    drill('manual', 'nothing can be removed by priority', { outcome: 'manual' }),
  ],
  'e4-clock-skew': [],
};

/** Rows that were seen once; `ago` in seconds. */
const SEEN: Record<string, number> = {
  '01-service-unhealthy': 5460,
  '05-fsm-stuck-collect-slot': 3 * DAY,
  '07-payment-pending-timeout': 5430,
  '10-backend-memory': 19 * DAY,
};

function row(id: string): RunbookRow {
  const drills = DRILLS[id] ?? [drill('first', 'the usual way'), drill('second', 'another way')];
  const proven = drills.filter((one) => one.is_proven);
  const oldest = [...proven].sort((a, b) => Date.parse(a.at ?? '') - Date.parse(b.at ?? ''))[0];
  const seen = SEEN[id];
  return {
    playbook: id,
    last_seen:
      seen === undefined
        ? undefined
        : {
            at: ago(seen),
            verdict: 'present',
            subject: { service: id.startsWith('01') ? 'redis' : undefined },
          },
    drills,
    proven: proven.length,
    proven_at: oldest?.at,
    proven_commit: oldest?.commit,
  };
}

export function runbook(): RunbookView {
  return { rows: catalog().map(({ id }) => row(id)) };
}
