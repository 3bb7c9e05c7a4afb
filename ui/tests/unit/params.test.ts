import { describe, expect, test } from 'vitest';
import type { ParamView } from '../../src/lib/host/generated/wire';
import { carried, check, checkAll, initial } from '../../src/lib/state/params';

const param = (over: Partial<ParamView>): ParamView => ({
  name: 'p',
  label: 'P',
  kind: 'text',
  help: '',
  default: undefined,
  choices: [],
  required: true,
  ...over,
});
const days = ['0', '1', '2'].map((value) => ({ value, label: value }));

describe('a value', () => {
  test.each<[string, Partial<ParamView>, string | boolean | string[], unknown]>([
    ['text is trimmed', { kind: 'text' }, ' a ', 'a'],
    ['an integer becomes a number', { kind: 'integer' }, '30', 30],
    ['a negative integer too', { kind: 'integer' }, '-2', -2],
    ['a time stays text', { kind: 'time' }, '09:00', '09:00'],
    ['the last minute of the day', { kind: 'time' }, '23:59', '23:59'],
    ['a choice that is listed', { kind: 'choice', choices: days }, '1', '1'],
    ['choices that are listed', { kind: 'choices', choices: days }, ['0', '2'], ['0', '2']],
    ['a secret’s place in the environment', { kind: 'secret' }, ' env:A_1 ', 'env:A_1'],
    ['in .env', { kind: 'secret' }, 'dotenv:TOKEN', 'dotenv:TOKEN'],
    ['in a file', { kind: 'secret' }, 'file:/run/my secret', 'file:/run/my secret'],
    ['a flag that is off is false, not missing', { kind: 'flag' }, false, false],
  ])('%s', (_, over, raw, value) => {
    expect(check(param(over), raw)).toEqual({ value });
  });

  test.each<[string, Partial<ParamView>, string | string[]]>([
    ['nothing, where something is needed', { kind: 'text' }, '  '],
    ['a secret itself', { kind: 'secret' }, '9f86d081884c7d65'],
    ['a secret behind a place', { kind: 'secret' }, 'env:A B'],
    ['a place without a name', { kind: 'secret' }, 'env:'],
    ['a place that is not one', { kind: 'secret' }, 'http://x'],
    ['a fraction', { kind: 'integer' }, '1.5'],
    ['an exponent', { kind: 'integer' }, '1e3'],
    ['a number too long to be exact', { kind: 'integer' }, '12345678901234567'],
    ['a time past midnight', { kind: 'time' }, '24:00'],
    ['a time in words', { kind: 'time' }, '9am'],
    ['a choice that is not listed', { kind: 'choice', choices: days }, '9'],
    ['choices of which one is not listed', { kind: 'choices', choices: days }, ['0', '9']],
    ['no choice, where one is needed', { kind: 'choices', choices: days }, []],
  ])('is refused: %s', (_, over, raw) => {
    const checked = check(param(over), raw);
    expect(checked.error, 'it says what is wrong').toBeTypeOf('string');
    expect(checked.value).toBeUndefined();
  });

  test('that is not needed and not given is left out', () => {
    const form = checkAll(
      [param({ required: false }), param({ name: 'q', kind: 'integer', required: false })],
      { p: '', q: '' },
    );
    expect(form).toEqual({ values: {}, errors: {} });
  });
});

test('defaults fill the form', () => {
  expect(initial(param({ kind: 'integer', default: 2 }))).toBe('2');
  expect(initial(param({ kind: 'choices', default: [0, 1], choices: days }))).toEqual(['0', '1']);
  expect(initial(param({ kind: 'flag', default: true }))).toBe(true);
  expect(initial(param({}))).toBe('');
});

test('when the live choices change, what was typed stays and a choice that has gone falls back', () => {
  const params = [
    param({ name: 'a', kind: 'choice', choices: days, default: '0' }),
    param({ name: 'b', kind: 'choices', choices: days }),
    param({ name: 'c' }),
    param({ name: 'd', kind: 'integer', default: 7 }),
  ];
  expect(carried(params, { a: 'gone', b: ['1', 'gone'], c: 'typed' })).toEqual({
    a: '0',
    b: ['1'],
    c: 'typed',
    d: '7',
  });
});
