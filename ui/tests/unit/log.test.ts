import { describe, expect, test } from 'vitest';
import type { LogLineView, LogNewsView, LogRequest, LogsView } from '../../src/lib/host/generated/wire';
import { HostError, type Host } from '../../src/lib/host/host';
import { line } from '../../src/lib/host/fake/log-lines';
import { Log } from '../../src/lib/state/log.svelte';
import { EVERYTHING, MOST } from '../../src/lib/state/log-question';

const lines = (n: number, from = 0): LogLineView[] =>
  Array.from({ length: n }, (_, i) => line(1000 - i / 100, 'backend', 'info', `line ${from + i}`));

const view = (session: string, over: Partial<LogsView> = {}): LogsView => ({
  session,
  lines: lines(3),
  earlier: 0,
  histogram: { span_s: 0, spans: [], untimed: 0 },
  notes: [],
  services: ['backend'],
  ...over,
});

const news = (session: string, over: Partial<LogNewsView> = {}): LogNewsView => ({
  session,
  lines: [],
  notes: [],
  is_over: false,
  ...over,
});

/** A host whose answers to `logs` come when the test gives them. */
function setup(): {
  log: Log;
  asked: LogRequest[];
  closed: string[];
  answer: (view: LogsView) => Promise<void>;
  refuse: (error: HostError) => Promise<void>;
} {
  const asked: LogRequest[] = [];
  const closed: string[] = [];
  const waiting: { give: (view: LogsView) => void; refuse: (error: HostError) => void }[] = [];
  const call = (name: string, request: unknown): Promise<unknown> => {
    if (name === 'logs_close') {
      closed.push((request as { session: string }).session);
      return Promise.resolve({});
    }
    asked.push(request as LogRequest);
    return new Promise((give, refuse) => waiting.push({ give, refuse }));
  };
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 5; i++) await Promise.resolve();
  };
  return {
    log: new Log({
      kind: 'fake',
      call,
      subscribe: () => Promise.resolve(() => undefined),
    } as unknown as Host),
    asked,
    closed,
    answer: async (given) => (waiting.shift()?.give(given), settle()),
    refuse: async (error) => (waiting.shift()?.refuse(error), settle()),
  };
}

async function opened(over: Partial<LogsView> = {}): Promise<ReturnType<typeof setup>> {
  const all = setup();
  void all.log.ask();
  await all.answer(view('S1', over));
  return all;
}

const texts = (log: Log): string[] => log.rows.map((row) => row.line.text);

describe('an answer', () => {
  test('is shown with what is not among it, and followed', async () => {
    const { log, asked } = await opened({ earlier: 12, notes: ['a', 'a', 'b'] });
    expect(texts(log)).toEqual(['line 0', 'line 1', 'line 2']);
    expect([log.earlier, log.notes, log.following, log.asking]).toEqual([12, ['a', 'b'], true, false]);
    expect(asked[0]).toMatchObject({ services: [], last: MOST, follow: true, until: null });
  });

  test('that comes after a later question is dropped, and what followed it is closed', async () => {
    const { log, answer, closed } = setup();
    void log.ask();
    void log.filter({ services: ['redis'] });
    await answer(view('OLD', { lines: lines(1, 70) }));
    expect([log.rows.length, log.asking, closed]).toEqual([0, true, ['OLD']]);
    await answer(view('NEW', { lines: lines(2, 80) }));
    expect(texts(log)).toEqual(['line 80', 'line 81']);
  });

  test('that comes after the page was left is closed', async () => {
    const { log, answer, closed } = setup();
    void log.ask();
    log.close();
    await answer(view('LATE'));
    expect([closed, log.rows.length, log.asking]).toEqual([['LATE'], 0, false]);
  });

  test('has a bad pattern’s sentence beside it, and stays, with its filters', async () => {
    const { log, refuse } = await opened();
    void log.filter({ grep: '(' });
    await refuse(new HostError({ code: 'usage', message: 'the pattern "(" is no regular expression' }));
    expect(log.patternError).toBe('the pattern "(" is no regular expression.');
    expect([texts(log).length, log.error, log.inForce.grep, log.question.grep]).toEqual([
      3,
      undefined,
      '',
      '(',
    ]);
    log.hear(news('S1', { lines: lines(1, 3) }));
    expect(texts(log).at(-1), 'what was followed goes on').toBe('line 3');
    void log.filter({ level: 'error' });
    expect(log.question, 'it is not asked again').toMatchObject({ grep: '', level: 'error' });
  });

  test('is kept when the engine is away', async () => {
    const { log, refuse } = await opened();
    void log.ask();
    await refuse(new HostError({ code: 'unreachable', message: 'no engine', hint: 'Start it.' }));
    expect([log.error?.message, log.rows.length, log.patternError]).toEqual(['no engine.', 3, undefined]);
  });

  test('finds the picked line again, and holds there', async () => {
    const { log, answer } = await opened();
    log.open(log.rows[1]);
    void log.filter({ services: ['backend'] });
    await answer(view('S2', { lines: [...lines(9, 100), ...log.rows.map((row) => row.line)] }));
    expect([log.place, log.picked?.line.text, log.following]).toEqual([10, 'line 1', false]);
  });

  test('with an end is not followed', async () => {
    const { log, answer, asked } = await opened();
    void log.filter({ when: { since: '2026-11-26T10:00:00.000Z', until: '2026-11-26T10:01:00.000Z' } });
    await answer(view('S2'));
    expect([log.following, log.canFollow, asked[1]?.follow]).toEqual([false, false, false]);
    log.toEnd();
    expect(log.following).toBe(false);
  });
});

describe('what is written since', () => {
  test('comes after what is there, is counted by time, and only of this question', async () => {
    const { log } = await opened();
    log.hear(news('S1', { lines: lines(2, 3) }));
    log.hear(news('OTHER', { lines: lines(5, 50) }));
    expect(texts(log)).toEqual(['line 0', 'line 1', 'line 2', 'line 3', 'line 4']);
    expect(log.histogram.spans.reduce((sum, span) => sum + span.lines, 0)).toBe(2);
    expect(log.rows.map((row) => row.n)).toEqual([0, 1, 2, 3, 4]);
  });

  test('and comes before the answer does, is not lost', async () => {
    const { log, answer } = setup();
    void log.ask();
    log.hear(news('S1', { lines: lines(1, 3) }));
    log.hear(news('OTHER', { lines: lines(1, 9) }));
    await answer(view('S1'));
    expect(texts(log)).toEqual(['line 0', 'line 1', 'line 2', 'line 3']);
  });

  test('is counted and not shown while one reads, and shown on request', async () => {
    const { log } = await opened();
    log.hold();
    const before = log.rows;
    log.hear(news('S1', { lines: lines(7, 3) }));
    log.hear(news('S1', { lines: lines(5, 10) }));
    expect(log.rows, 'nothing moved').toBe(before);
    expect([log.unseen, log.arrived]).toEqual([12, 12]);
    log.toEnd();
    expect([log.rows.length, log.unseen, log.following, texts(log).at(-1)]).toEqual([15, 0, true, 'line 14']);
  });

  test('waits while the pointer aims, and comes by itself after that', async () => {
    const { log } = await opened();
    log.aim(true);
    log.hear(news('S1', { lines: lines(2, 3) }));
    expect([log.rows.length, log.unseen, log.following]).toEqual([3, 2, true]);
    log.aim(false);
    expect([log.rows.length, log.unseen]).toEqual([5, 0]);
    log.hold();
    log.aim(true);
    log.hear(news('S1', { lines: lines(2, 5) }));
    log.aim(false);
    expect([log.rows.length, log.unseen], 'who reads is not disturbed').toEqual([5, 2]);
  });

  test('pushes the oldest out: 20,000 are kept, and what is gone is counted', async () => {
    const { log } = await opened({ lines: lines(MOST - 1), earlier: 5 });
    log.hear(news('S1', { lines: lines(11, MOST - 1) }));
    expect([log.rows.length, log.earlier, texts(log)[0]]).toEqual([MOST, 15, 'line 10']);
    expect([log.rows[0]?.n, log.rows.at(-1)?.n], 'numbers go on').toEqual([10, MOST + 9]);
  });

  test('and is more than can wait while one reads, is asked for anew, and its end is shown', async () => {
    const { log, asked, answer } = await opened();
    log.move(-1);
    const picked = log.picked?.line ?? lines(1)[0];
    for (let i = 0; i < 5; i++) log.hear(news('S1', { lines: lines(500, 3) }));
    expect([log.rows.length, log.unseen, asked.length]).toEqual([3, 2500, 1]);
    log.toEnd();
    await answer(view('S2', { lines: [...(picked ? [picked] : []), ...lines(4, 10)] }));
    expect([asked.length, log.unseen, log.rows.length, log.following]).toEqual([2, 0, 5, true]);
  });

  test('ends, and is then not followed', async () => {
    const { log } = await opened();
    log.hear(news('S1', { is_over: true }));
    expect([log.isOver, log.canFollow]).toEqual([true, false]);
  });

  test('says a thing once, and not again after it was dismissed', async () => {
    const { log } = await opened({ notes: ['a'] });
    log.hear(news('S1', { notes: ['a', 'b', 'b'] }));
    expect(log.notes).toEqual(['a', 'b']);
    log.dismiss('a');
    log.hear(news('S1', { notes: ['a'] }));
    expect(log.notes).toEqual(['b']);
  });
});

test('a page that is left is closed once', async () => {
  const { log, closed } = await opened();
  log.close();
  log.close();
  expect(closed).toEqual(['S1']);
  log.hear(news('S1', { lines: lines(1, 3) }));
  expect(log.rows.length).toBe(3);
});

test('the picked line moves from the end, stays among the lines, and holds them', async () => {
  const { log } = await opened();
  log.move(-1);
  expect([log.picked?.line.text, log.following]).toEqual(['line 2', false]);
  log.move(-1);
  log.move(-Infinity);
  expect(log.picked?.line.text).toBe('line 0');
  log.move(99);
  expect(log.picked?.line.text).toBe('line 2');
  expect(log.detailsOpen).toBe(false);
});

test('a filter that changes nothing asks nothing', async () => {
  const { log, asked } = await opened();
  await log.filter({ grep: '' });
  await log.filter({ when: EVERYTHING.when });
  expect(asked.length).toBe(1);
});
