import { describe, expect, test } from 'vitest';
import { triage, verdict } from '../../src/lib/host/fake/stack';
import {
  subjectKey,
  subjectOf,
  subjectText,
  unanswered,
  verdictFor,
  worstVerdict,
  wrongNow,
} from '../../src/lib/state/findings';
import { parse, playbookHref, runHref } from '../../src/lib/state/route';

const ranking = triage([
  verdict('01-service-unhealthy', 'present', { subject: { service: 'redis' } }),
  verdict('07-payment-pending-timeout', 'suspected'),
  verdict('01-service-unhealthy', 'present', { subject: { service: 'backend' } }),
  verdict('13-alembic-heads', 'unknown'),
]);

describe('what is wrong now', () => {
  test('has one entry per playbook, in the order of its best rank', () => {
    expect(wrongNow(ranking).map((finding) => [finding.playbook, finding.verdicts.length])).toEqual([
      ['01-service-unhealthy', 2],
      ['07-payment-pending-timeout', 1],
    ]);
  });

  test('follows the rank and not the order of arrival', () => {
    const turned = { ...ranking, ranked: [...ranking.ranked].reverse() };
    expect(wrongNow(turned).map((finding) => finding.playbook)).toEqual([
      '01-service-unhealthy',
      '07-payment-pending-timeout',
    ]);
  });

  test('never counts an unanswered check as absent or present', () => {
    expect(unanswered(ranking).map((one) => one.playbook)).toEqual(['13-alembic-heads']);
    expect(wrongNow(ranking).some((finding) => finding.playbook === '13-alembic-heads')).toBe(false);
  });

  test('shows a row by its worst answer', () => {
    const mixed = triage([
      verdict('05-fsm-stuck-collect-slot', 'absent', { subject: { tenant: 'a' } }),
      verdict('05-fsm-stuck-collect-slot', 'unknown', { subject: { tenant: 'b' } }),
    ]);
    expect(worstVerdict(mixed, '05-fsm-stuck-collect-slot')?.verdict).toBe('unknown');
    expect(worstVerdict(undefined, '05-fsm-stuck-collect-slot')).toBeUndefined();
  });
});

describe('a subject', () => {
  test('is named in words, and all empty means the stack', () => {
    expect(subjectText({ tenant: 'amani', thread: '01J' })).toBe('tenant amani, thread 01J');
    expect(subjectText({})).toBe('the whole stack');
  });

  test('survives the way through a link', () => {
    const subject = { tenant: 'a&b=c', schema: 'test_tenant_ü/?#' };
    const route = parse(playbookHref('12-leftover-test-schemas', subject));
    expect(route).toEqual({ view: 'playbook', id: '12-leftover-test-schemas', subject });
    expect(subjectKey(subjectOf(new URLSearchParams({ service: 'redis' })))).toBe('service=redis');
  });
});

describe('the verdict about a subject', () => {
  const redis = verdict('01-service-unhealthy', 'present', { subject: { service: 'redis' } });
  const backend = verdict('01-service-unhealthy', 'present', { subject: { service: 'backend' } });
  const absent = verdict('01-service-unhealthy', 'absent');

  test('is its own, and the first one when nobody is named', () => {
    expect(verdictFor([redis, backend], { service: 'backend' })).toBe(backend);
    expect(verdictFor([redis, backend], undefined)).toBe(redis);
  });

  test('is what is said of the whole stack when the fault is not seen', () => {
    expect(verdictFor([absent], { service: 'redis' })).toBe(absent);
  });

  test('is never that of another subject', () => {
    expect(verdictFor([backend], { service: 'redis' })).toBeUndefined();
  });
});

test('addresses that make no sense lead to the overview, and odd ids do no harm', () => {
  expect(parse('')).toEqual({ view: 'overview' });
  expect(parse('#/nowhere/at/all')).toEqual({ view: 'overview' });
  expect(parse('#/journal/%E0%A4%A')).toEqual({ view: 'run', run: '%E0%A4%A' });
  expect(parse(runHref('01K/../x'))).toEqual({ view: 'run', run: '01K/../x' });
});
