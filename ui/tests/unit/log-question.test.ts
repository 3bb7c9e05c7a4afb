import { describe, expect, test } from 'vitest';
import { evidence } from '../../src/lib/host/fake/stack';
import { line } from '../../src/lib/host/fake/log-lines';
import {
  aroundLine,
  canFollow,
  chipsOf,
  EVERYTHING,
  evidenceHref,
  logsHref,
  longer,
  MOST,
  questionOf,
  requestOf,
  whenText,
  type LogQuestion,
} from '../../src/lib/state/log-question';
import { parse } from '../../src/lib/state/route';

const NOW = Date.parse('2026-11-26T12:00:00Z');
const SPAN = { since: '2026-11-26T10:00:00.000Z', until: '2026-11-26T10:05:00.000Z' };
const FULL: LogQuestion = {
  services: ['backend', 'worker'],
  level: 'warning',
  tenant: 'amani_clinic',
  thread: '01KAVX',
  grep: 'a & b=#?',
  when: SPAN,
};

describe('what the core is asked', () => {
  test('leaves out what is not asked for', () => {
    expect(requestOf(EVERYTHING, NOW)).toEqual({
      services: [],
      since: '2026-11-26T11:45:00.000Z',
      until: null,
      last: MOST,
      follow: true,
    });
    expect(requestOf({ ...EVERYTHING, when: { last: 'all' } }, NOW).since).toBeNull();
  });

  test('has every filter that is on', () => {
    const { when, ...rest } = FULL;
    expect(when).toBe(SPAN);
    expect(requestOf(FULL, NOW)).toEqual({ ...rest, ...SPAN, last: MOST, follow: false });
  });

  test('is followed where it has no end', () => {
    expect(canFollow({ ...FULL, when: { since: SPAN.since, until: undefined } })).toBe(true);
    expect(canFollow(FULL)).toBe(false);
  });
});

describe('chips', () => {
  test('are there for each filter that is on, and for no other', () => {
    expect(chipsOf(EVERYTHING)).toEqual([]);
    expect(chipsOf(FULL).map(({ what, value }) => `${what} ${value}`)).toEqual([
      'Service backend',
      'Service worker',
      'Level warning and worse',
      'Tenant amani_clinic',
      'Thread 01KAVX',
      'Text a & b=#?',
      'Time 26 Nov 10:00:00 to 10:05:00 UTC',
    ]);
    expect(chipsOf({ ...EVERYTHING, when: { last: '1h' } }).map(({ id }) => id)).toEqual(['when']);
  });

  test('taken away one by one leave everything', () => {
    let question = FULL;
    for (let left = chipsOf(question); left.length > 0; left = chipsOf(question)) {
      const next = left[0]?.without ?? question;
      expect(chipsOf(next).length).toBe(left.length - 1);
      question = next;
    }
    expect(question).toEqual(EVERYTHING);
  });
});

describe('a link', () => {
  test.each([FULL, EVERYTHING, { ...EVERYTHING, when: { last: '6h' as const } }])(
    'names its question %#',
    (asked) => {
      expect(parse(logsHref(asked))).toEqual({ view: 'logs', question: asked });
    },
  );

  test('that names nothing leaves what was asked last', () => {
    expect(parse('#/logs')).toEqual({ view: 'logs', question: undefined });
  });

  test('that was made by hand asks for nothing that is not there', () => {
    expect(questionOf(new URLSearchParams('level=loud&last=9y&since=then&service='))).toEqual(EVERYTHING);
  });
});

describe('the log behind evidence', () => {
  const services = ['backend', 'redis', 'sip'];
  const of = (what: string, as_of: string, source = 'logs'): ReturnType<typeof evidence> => ({
    ...evidence(source, what, 'x'),
    as_of,
  });

  test('is that of the service it names, at the time of the look', () => {
    const href = evidenceHref(of('redis: last lines', SPAN.since), { service: 'backend' }, services, NOW);
    expect(parse(href ?? '')).toEqual({
      view: 'logs',
      question: {
        ...EVERYTHING,
        services: ['redis'],
        when: { since: '2026-11-26T09:45:00.000Z', until: '2026-11-26T10:05:00.000Z' },
      },
    });
  });

  test('is that of the finding’s subject where it names none, or several', () => {
    const subject = { service: 'sip', tenant: 'amani_clinic', thread: '01K' };
    for (const what of ['lines', 'lines of backend and redis', 'redistributed']) {
      const route = parse(evidenceHref(of(what, SPAN.since), subject, services, NOW) ?? '');
      expect(route).toMatchObject({ question: { services: ['sip'], tenant: 'amani_clinic', thread: '01K' } });
    }
  });

  test('is followed where the look was just now', () => {
    const route = parse(evidenceHref(of('redis', '2026-11-26T11:59:00Z'), {}, services, NOW) ?? '');
    expect(route).toMatchObject({ question: { when: { until: undefined } } });
  });

  test('is none for what was read from somewhere else', () => {
    expect(evidenceHref(of('redis', SPAN.since, 'docker'), {}, services, NOW)).toBeUndefined();
  });
});

test('around a line is everything of a minute; a line without a time has no around', () => {
  const one = { ...line(1, 'backend', 'error', 'x'), ts: '2026-11-26T10:00:00.500Z' };
  expect(aroundLine(one)).toEqual({
    ...EVERYTHING,
    when: { since: '2026-11-26T09:59:30.500Z', until: '2026-11-26T10:00:30.500Z' },
  });
  expect(aroundLine({ ...one, ts: null })).toBeUndefined();
});

test('a longer span is offered as long as there is one', () => {
  const of = (when: LogQuestion['when']): string | undefined => longer({ ...EVERYTHING, when })?.id;
  expect([of({ last: '15m' }), of({ last: '6h' }), of({ last: 'all' }), of(SPAN)]).toEqual([
    '1h',
    'all',
    undefined,
    '15m',
  ]);
});

test('a span of time is said in words', () => {
  const said = (when: LogQuestion['when']): string => whenText({ ...EVERYTHING, when });
  expect(said({ last: '1h' })).toBe('in the last hour');
  expect(said(SPAN)).toBe('26 Nov 10:00:00 to 10:05:00 UTC');
  expect(said({ since: SPAN.since, until: undefined })).toBe('from 26 Nov 10:00:00 UTC on');
  expect(said({ since: SPAN.since, until: '2026-11-27T01:00:00.000Z' })).toBe(
    '26 Nov 10:00:00 to 27 Nov 01:00:00 UTC',
  );
});
