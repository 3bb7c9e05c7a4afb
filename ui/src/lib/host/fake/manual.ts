/** A repair with a step that only a person can do; and forms with long and empty lists. */
import type { ParamView, PlanStepView } from '../generated/wire';
import { START_REDIS, redisStopped } from './redis';
import { row5 } from './rows';
import { base, type Scenario } from './scenario';
import { catalog, evidence, impact, triage, verdict, withShown } from './stack';

const FREE_PORT: PlanStepView = {
  n: 1,
  kind: 'manual',
  title: 'Free port 6381',
  preview:
    'you do it; then the run goes on by itself as soon as nobody listens on port 6381, for at most 900 s',
  command: '# Ask its owner to stop it.',
  risk: 'read',
  blast_radius: 'Whatever you do by hand.',
  facts: [
    'Port 6381 is held by: python3 (pid 4711), started by amina',
    'redis needs it. The console never stops what is not this project’s.',
  ],
  instructions: [
    {
      what: 'Find out whose it is. Ask them to stop it, or stop it yourself if it is yours.',
      where: 'a terminal on this machine',
    },
    {
      what: 'Can’t it be stopped? Give redis another host port, and change the addresses that name the old one.',
      where: 'the compose file and the .env',
    },
    'Tell the team when it is done.',
  ],
  waits: { until: 'nobody listens on port 6381', within_s: 900 },
};

export function portClash(): Scenario {
  const from = redisStopped();
  return {
    ...from,
    triage: triage([
      verdict('01-service-unhealthy', 'present', {
        subject: { service: 'redis' },
        reason: 'redis could not start: a port it needs is taken.',
        evidence: [
          evidence('docker', 'state of redis', 'created'),
          evidence(
            'docker',
            'the engine’s error',
            'Bind for 127.0.0.1:6381 failed: port is already allocated',
          ),
          evidence('host', 'who holds port 6381', 'python3 (pid 4711)'),
          withShown(evidence('logs', 'last lines of redis’s log', '(empty)'), { items: [] }),
        ],
      }),
    ]),
    plans: {
      '01-service-unhealthy': {
        steps: [FREE_PORT, ...START_REDIS.map((step) => ({ ...step, n: step.n + 1 }))],
        confirm: { kind: 'click' },
        act: 'Start redis without its dependencies',
        impact: impact({ services: ['redis'], customers: 41 }),
        preconditions: [],
      },
    },
  };
}

/** More people than can be looked through, and lists that are empty, with and without a reason. */
export function longLists(): Scenario {
  const from = row5();
  const people = Array.from({ length: 140 }, (_, i) => ({
    value: `p${i}`,
    label: `${['Wanjiku', 'Otieno', 'Fatma', 'Kiptoo', 'Achieng'][i % 5]} ${['Kamau', 'Odhiambo', 'Hassan', 'Cheruiyot'][i % 4]} ${i + 1}`,
  }));
  const param = (name: string, label: string, over: Partial<ParamView>): ParamView => ({
    name,
    label,
    kind: 'choices',
    help: '',
    choices: [],
    required: false,
    ...over,
  });
  return {
    ...from,
    asked: ['staff', 'lead', 'blocks', 'tunnel'],
    playbooks: catalog().map((one) =>
      one.id !== '05-fsm-stuck-collect-slot'
        ? one
        : {
            ...one,
            params: [
              param('staff', 'Staff', {
                choices: people,
                default: ['p0', 'p1', 'p2'],
                help: 'Who gets working hours.',
              }),
              param('lead', 'Who is asked', { kind: 'choice', choices: people }),
              param('blocks', 'Blocks to end now', {
                why_empty: 'No block is ahead any more. Look again.',
              }),
              param('start', 'From', { kind: 'time', required: true }),
              param('tunnel', 'Tunnel', { kind: 'choice', required: true }),
            ],
          },
    ),
  };
}

export function notRemembered(): Scenario {
  const from = base();
  return {
    ...from,
    runbook: {
      rows: from.runbook.rows.map((row) => ({ ...row, last_seen: undefined })),
      seen_error: 'read /home/amina/.local/state/ratiba-console/seen/lab.json: permission denied',
    },
    journalError: 'the journal can’t be read: database disk image is malformed',
  };
}
