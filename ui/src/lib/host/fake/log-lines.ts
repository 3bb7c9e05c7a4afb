/** Lines of a log as a small stack writes them: the same ones each time, told as seconds ago. */
import type { LogLineView } from '../generated/wire';
import { ago } from './stack';

export type Line = LogLineView;

/** Conversations that lines are about. */
export const THREADS = [
  ['01KAVXTHREAD00000000000017', 'amani_clinic'],
  ['01KAVXTHREAD00000000000018', 'baraka_salon'],
  ['01KAVXTHREAD00000000000019', 'amani_clinic'],
  ['01KAVXTHREAD00000000000020', 'zuri_spa'],
] as const;

export function line(
  secondsAgo: number,
  service: string,
  level: string,
  text: string,
  over: Partial<Line> = {},
): Line {
  return {
    ts: ago(secondsAgo),
    service,
    level,
    event: text.split(/ {2}|\n/)[0] ?? '',
    text,
    stderr: false,
    ...over,
  };
}

/** Numbers that look like chance and are the same each time. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

type Maker = (pick: number, tenant: string) => [service: string, level: string, text: string];

const ABOUT_A_THREAD: Maker[] = [
  (n) => [
    'backend',
    'info',
    `webhook.whatsapp  signature_valid=true from=•••${String(100 + Math.floor(n * 899))} kind=text`,
  ],
  (n) => [
    'backend',
    'info',
    `fsm.transition  from=COLLECT_SERVICE to=COLLECT_SLOT took_ms=${Math.ceil(n * 90)}`,
  ],
  (n) => [
    'backend',
    'info',
    `intent_router routed  intent=book_appointment confidence=0.${70 + Math.floor(n * 29)}`,
  ],
  (_, tenant) => ['backend', 'debug', `slots.query  tenant=${tenant} days=14 offered=23`],
  (n) => ['worker', 'info', `payments.reconcile  state=initiated age_s=${Math.ceil(n * 58)}`],
];

const OF_THE_STACK: Maker[] = [
  (n) => [
    'backend',
    'info',
    `INFO:     172.20.0.9:${40_000 + Math.floor(n * 9000)} - "GET /healthz HTTP/1.1" 200 OK`,
  ],
  () => ['postgres', '', 'LOG:  checkpoint complete: wrote 41 buffers (0.3%); 0 WAL file(s) added'],
  () => ['redis', '', '1:M * 100 changes in 300 seconds. Saving...'],
  (n) => [
    'livekit',
    'info',
    `livekit  room closed room=call-${Math.floor(n * 9000)} duration=41.2s participants=2`,
  ],
  () => ['frontend', '', ' GET /dashboard/bookings 200 in 38ms'],
  (n) => [
    'backend',
    'warning',
    `elevenlabs.synthesize slow  duration_ms=${2500 + Math.floor(n * 900)} limit_ms=2500`,
  ],
];

/** A healthy stack's lines of so many seconds, the oldest first. */
export function steady(seconds: number, count: number, seed = 7): Line[] {
  const next = chance(seed);
  return Array.from({ length: count }, (_, i) => {
    const at = seconds - (seconds * (i + next() * 0.8)) / count;
    const about = next() < 0.55;
    const makers = about ? ABOUT_A_THREAD : OF_THE_STACK;
    const [thread, tenant] = THREADS[Math.floor(next() * THREADS.length)] ?? THREADS[0];
    // Warnings are rare.
    const last = makers.length - (about || next() < 0.12 ? 0 : 1);
    const make = makers[Math.floor(next() * last)] ?? makers[0];
    const [service, level, text] = make?.(next(), tenant) ?? ['backend', 'info', ''];
    return line(at, service, level, text, about ? { thread_id: thread, tenant } : {});
  });
}

const TRACEBACK = `webhook.whatsapp failed  error=ConnectionError
Traceback (most recent call last):
  File "/app/app/api/webhooks/whatsapp.py", line 88, in receive
    state = await fsm.load(thread_id)
            ^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/app/app/fsm/store.py", line 41, in load
    raw = await self.redis.get(f"ratiba:fsm:{thread_id}")
          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/app/.venv/lib/python3.12/site-packages/redis/asyncio/connection.py", line 296, in connect
    raise ConnectionError(self._error_message(e))
redis.exceptions.ConnectionError: Error 111 connecting to redis:6379. Connection refused.`;

/** Redis ended 127 s ago: what everything else says from then on. */
export function redisGone(): Line[] {
  const end = [
    line(128, 'redis', '', '1:signal-handler (•••067) Received SIGTERM scheduling shutdown...'),
    line(127.4, 'redis', 'warning', '1:M # User requested shutdown...'),
    line(127.1, 'redis', 'warning', '1:M # Redis is now ready to exit, bye bye...'),
  ];
  const after = Array.from({ length: 46 }, (_, i) => {
    const [thread_id, tenant] = THREADS[i % THREADS.length] ?? THREADS[0];
    const at = 126 - i * 2.7;
    if (i % 9 === 4)
      return line(at, 'worker', 'critical', 'arq.worker: redis connection lost, the worker ends', {
        stderr: true,
      });
    if (i % 3 === 1)
      return line(
        at,
        'worker',
        'warning',
        `arq.worker: redis connection error, ${5 - (i % 5)} retries remaining`,
      );
    return line(at, 'backend', 'error', TRACEBACK, { thread_id, tenant, stderr: true });
  });
  return [...end, ...after];
}

export function sorted(lines: readonly Line[]): Line[] {
  return [...lines].sort((a, b) => (a.ts ?? '').localeCompare(b.ts ?? ''));
}

const HOSTILE =
  '<img src=x onerror="document.title=\'owned\'"> \u202egnp.exe\u202c \u001b[31mred\u001b[0m \u0000\u0007\u200b{{7*7}} <script>alert(1)</script>';

export function hostileLines(): Line[] {
  return [
    line(50, HOSTILE, HOSTILE, HOSTILE, { thread_id: HOSTILE, tenant: HOSTILE }),
    line(49, 'backend', 'error', `${HOSTILE}\n${HOSTILE}\n    at \u2066x\u2069`),
    line(
      48,
      'backend',
      'info',
      `a line without an end ${'0123456789abcdef'.repeat(1024)} [cut: the line has 4194304 bytes]`,
    ),
    line(
      47,
      'backend',
      'info',
      '\u05e9\u05dc\u05d5\u05dd  \u0645\u0631\u062d\u0628\u0627  \ud83d\udc4b\ud83c\udffd  e\u0301\u0301\u0301\u0301\u0301',
    ),
    line(46, 'backend', '', ''),
    line(45, 'backend', 'info', '\t\tindented by tabs\r'),
  ];
}
