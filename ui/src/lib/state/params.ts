/** The rules of a parameter form: what was typed, as the value that is sent, or what is wrong with it. */
import type { ParamView } from '../host/generated/wire';

/** What a control holds before it is checked. */
export type Raw = string | boolean | string[];

/** Where a secret is, in the form that the core reads. */
const REFERENCE = /^(?:(?:env|dotenv):[A-Za-z_][A-Za-z0-9_]*|file:\S.*)$/;

export interface Checked {
  /** Left out when nothing is given. */
  readonly value?: unknown;
  readonly error?: string;
}

export function initial(param: ParamView): Raw {
  const given = param.default;
  if (param.kind === 'flag') return given === true;
  if (param.kind === 'choices') return Array.isArray(given) ? given.map(String) : [];
  if (given !== undefined && given !== null) return String(given);
  return '';
}

export function check(param: ParamView, raw: Raw): Checked {
  if (param.kind === 'flag') return { value: raw === true };
  if (param.kind === 'choices') return checkChoices(param, Array.isArray(raw) ? raw : []);
  const text = typeof raw === 'string' ? raw.trim() : '';
  if (text === '') return param.required ? { error: `${param.label} is needed.` } : {};
  switch (param.kind) {
    case 'integer':
      return /^-?\d{1,15}$/.test(text) ? { value: Number(text) } : { error: 'A whole number, such as 30.' };
    case 'time':
      return /^([01]\d|2[0-3]):[0-5]\d$/.test(text)
        ? { value: text }
        : { error: 'A time of day as HH:MM, such as 09:00.' };
    case 'choice':
      return isChoice(param, text) ? { value: text } : { error: 'Choose one from the list.' };
    case 'secret':
      return REFERENCE.test(text)
        ? { value: text }
        : { error: 'A place, such as env:NAME, file:PATH or dotenv:NAME. Never the secret itself.' };
    case 'text':
      return { value: text };
  }
}

export interface CheckedForm {
  readonly values: Record<string, unknown>;
  readonly errors: Record<string, string>;
}

export function checkAll(params: readonly ParamView[], raw: Record<string, Raw>): CheckedForm {
  const values: Record<string, unknown> = {};
  const errors: Record<string, string> = {};
  for (const param of params) {
    const { value, error } = check(param, raw[param.name] ?? initial(param));
    if (error !== undefined) errors[param.name] = error;
    else if (value !== undefined) values[param.name] = value;
  }
  return { values, errors };
}

/** Keeps what was typed where the parameter is still there; a choice that has gone falls back to the default. */
export function carried(params: readonly ParamView[], raw: Record<string, Raw>): Record<string, Raw> {
  return Object.fromEntries(
    params.map((param) => {
      const typed = raw[param.name];
      if (typed === undefined) return [param.name, initial(param)];
      if (param.kind === 'choice' && typeof typed === 'string' && !isChoice(param, typed))
        return [param.name, initial(param)];
      if (param.kind === 'choices' && Array.isArray(typed))
        return [param.name, typed.filter((one) => isChoice(param, one))];
      return [param.name, typed];
    }),
  );
}

/** With more choices than this they can be searched. */
export const LONG_LIST = 12;

/** Chosen values after some were picked or left, in the order of the choices. */
export function picked(
  param: ParamView,
  chosen: readonly string[],
  values: readonly string[],
  on: boolean,
): string[] {
  const others = chosen.filter((one) => !values.includes(one));
  const next = new Set(on ? [...others, ...values] : others);
  return param.choices.map((choice) => choice.value).filter((value) => next.has(value));
}

function checkChoices(param: ParamView, chosen: string[]): Checked {
  if (chosen.length === 0 && param.required) return { error: `Choose at least one for ${param.label}.` };
  if (chosen.some((one) => !isChoice(param, one))) return { error: 'Choose from the list.' };
  return { value: chosen };
}

function isChoice(param: ParamView, value: string): boolean {
  return param.choices.some((choice) => choice.value === value);
}
