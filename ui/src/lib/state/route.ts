/** Where in the window one is, as the address's hash. */
import type { Subject } from '../host/generated/wire';
import { subjectKey, subjectOf } from './findings';
import { questionOf, type LogQuestion } from './log-question';

export type Route =
  | { view: 'overview' }
  | { view: 'runbook' }
  | { view: 'failure-mode' }
  | { view: 'playbook'; id: string; subject: Subject | undefined }
  | { view: 'logs'; question: LogQuestion | undefined }
  | { view: 'journal' }
  | { view: 'bundle'; run: string | undefined }
  | { view: 'run'; run: string };

export function parse(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [view, name = ''] = path.split('/');
  switch (view) {
    case 'runbook':
      return { view: name === 'new' ? 'failure-mode' : 'runbook' };
    case 'playbook': {
      const search = new URLSearchParams(query);
      return {
        view: 'playbook',
        id: decode(name),
        subject: [...search].length > 0 ? subjectOf(search) : undefined,
      };
    }
    case 'logs':
      return { view: 'logs', question: questionOf(new URLSearchParams(query)) };
    case 'bundle':
      return { view: 'bundle', run: new URLSearchParams(query).get('run') ?? undefined };
    case 'journal':
      return name === '' ? { view: 'journal' } : { view: 'run', run: decode(name) };
    default:
      return { view: 'overview' };
  }
}

export function playbookHref(id: string, subject?: Subject): string {
  const query =
    subject === undefined
      ? ''
      : new URLSearchParams(subjectKey(subject) === '' ? {} : { ...subject }).toString();
  return `#/playbook/${encodeURIComponent(id)}${query === '' ? '' : `?${query}`}`;
}

export function runHref(run: string): string {
  return `#/journal/${encodeURIComponent(run)}`;
}

/** Where a bundle is made; about this run, where one is named. */
export function bundleHref(run?: string): string {
  return run === undefined ? '#/bundle' : `#/bundle?${new URLSearchParams({ run }).toString()}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
