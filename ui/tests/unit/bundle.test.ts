import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { BundlePreview, BundleRequest, FileRow, Update } from '../../src/lib/host/generated/wire';
import { HostError, type Host } from '../../src/lib/host/host';
import { Bundle } from '../../src/lib/state/bundle.svelte';
import { COLLECTORS, EMPTY_FORM, requestOfForm } from '../../src/lib/state/bundle-request';
import { fold, NOTHING } from '../../src/lib/state/fold';

const DIGEST = '795e50';

const preview = (digest = DIGEST): BundlePreview => ({
  bundle: {
    file: '',
    digest,
    size: 10,
    schema: 'ratiba-bundle/1',
    tool: { name: 'ratiba-console', version: '0.1.0' },
    captured_at: '2026-11-26T17:28:13Z',
    stack: { profile: 'lab', kind: 'lab', project: 'ratiba-lab' },
    window: { from: '2026-11-26T17:16:00Z', until: '2026-11-26T17:28:13Z', because: 'a sign' },
    rules: 'rules',
    pseudonyms: 1,
    files: [],
  },
  collectors: { logs: 'all of them' },
  message: 'Help',
  deviation: '## Help',
  file: `/home/otieno/Downloads/${digest}.zip`,
});

const file = (path: string, over: Partial<FileRow> = {}): FileRow => ({
  path,
  collector: 'logs',
  origin: '',
  duration_ms: 0,
  bytes: 1,
  redactions: {},
  state: 'ok',
  ...over,
});

interface Asked {
  name: string;
  request: unknown;
  give: (answer: unknown) => void;
  refuse: (error: HostError) => void;
}

/** A host whose answers come when the test gives them. */
function setup(): { bundle: Bundle; asked: Asked[]; said: string[]; settle: () => Promise<void> } {
  const asked: Asked[] = [];
  const said: string[] = [];
  const call = (name: string, request: unknown): Promise<unknown> =>
    new Promise((give, refuse) => asked.push({ name, request, give, refuse }));
  const host = { kind: 'fake', call, subscribe: () => Promise.resolve(() => undefined) } as unknown as Host;
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 5; i++) await Promise.resolve();
  };
  return { bundle: new Bundle(host, (text) => said.push(text)), asked, said, settle };
}

async function made(): Promise<ReturnType<typeof setup>> {
  const all = setup();
  void all.bundle.collect();
  all.asked[0]?.give(preview());
  await all.settle();
  return all;
}

const refused = (code: string): HostError => new HostError({ code, message: 'no', hint: 'do this' });

describe('what is asked for', () => {
  test('is nothing but what was chosen', () => {
    expect(requestOfForm(EMPTY_FORM, 0)).toEqual({ without: [] });
    expect(requestOfForm({ ...EMPTY_FORM, note: '  \n' }, 0)).toEqual({ without: [] });
  });

  test('counts the time of the logs back from when it is asked', () => {
    const now = Date.parse('2026-11-26T17:28:00Z');
    const request = requestOfForm({ note: 'x', logsFrom: '6h', run: 'R', without: ['git'] }, now);
    expect(request).toEqual({ since: '2026-11-26T11:28:00.000Z', run: 'R', note: 'x', without: ['git'] });
  });

  test('can leave out each collector that the core has, and no other', () => {
    const source = readFileSync(
      new URL('../../../src-tauri/shell/api/bundle/collector.rs', import.meta.url),
      'utf8',
    );
    const list = /COLLECTORS[^=]*= &\[([\s\S]*?)\n\];/.exec(source)?.[1] ?? '';
    const theirs = [...list.matchAll(/\("([^"]+)", "([^"]+)"\)/g)].map(([, id, what]) => [id, what]);
    expect(theirs.length).toBeGreaterThan(5);
    expect(Object.entries(COLLECTORS)).toEqual(theirs);
  });

  test('a collector is left out once, and taken again', () => {
    const { bundle } = setup();
    bundle.toggle('git', false);
    bundle.toggle('git', false);
    bundle.toggle('logs', false);
    expect(bundle.form.without).toEqual(['git', 'logs']);
    bundle.toggle('git', true);
    expect(bundle.form.without).toEqual(['logs']);
  });
});

describe('making it', () => {
  test('shows each line as it comes, and none that comes when nothing is made', async () => {
    const { bundle, asked, settle } = setup();
    bundle.hear('late: 1 KiB');
    expect(bundle.progress).toEqual([]);
    void bundle.collect();
    bundle.hear('git: 7 KiB');
    bundle.hear('logs: 9 KiB');
    expect(bundle.progress.map(({ line }) => line)).toEqual(['git: 7 KiB', 'logs: 9 KiB']);
    asked[0]?.give(preview());
    await settle();
    expect(bundle.making).toBe(false);
    expect(bundle.preview?.bundle.digest).toBe(DIGEST);
    expect(bundle.place, 'where it will be is filled in').toBe(`/home/otieno/Downloads/${DIGEST}.zip`);
  });

  test('a line changes nothing of what is known of the stack', () => {
    const update: Update = { type: 'bundle', line: 'git: 7 KiB' };
    expect(fold(NOTHING, update)).toBe(NOTHING);
  });

  test('is asked for once, however often one presses', async () => {
    const { bundle, asked } = setup();
    void bundle.collect();
    void bundle.collect();
    expect(asked.filter(({ name }) => name === 'bundle_preview')).toHaveLength(1);
  });

  test('can be stopped: that is no error, and the form keeps what was typed', async () => {
    const { bundle, asked, settle } = setup();
    bundle.set({ note: 'calls drop' });
    void bundle.collect();
    void bundle.cancel();
    void bundle.cancel();
    expect(asked.map(({ name }) => name)).toEqual(['bundle_preview', 'bundle_cancel']);
    asked[0]?.refuse(refused('cancelled'));
    await settle();
    expect(bundle).toMatchObject({ making: false, stopped: true, error: undefined, cancelling: false });
    expect(bundle.form.note).toBe('calls drop');
  });

  test('where it can’t be stopped it goes on, and can be stopped again', async () => {
    const { bundle, asked, settle } = setup();
    void bundle.collect();
    void bundle.cancel();
    asked[1]?.refuse(refused('failed'));
    await settle();
    expect(bundle).toMatchObject({ making: true, cancelling: false });
    expect(bundle.error?.message).toBe('no.');
  });

  test('fails with its reason, and the form keeps what was typed', async () => {
    const { bundle, asked, settle } = setup();
    bundle.set({ note: 'calls drop', logsFrom: '1h' });
    bundle.toggle('git', false);
    void bundle.collect();
    asked[0]?.refuse(refused('failed'));
    await settle();
    expect(bundle.error).toMatchObject({ message: 'no.', hint: 'do this' });
    expect(bundle.form).toEqual({ note: 'calls drop', logsFrom: '1h', run: '', without: ['git'] });
    void bundle.collect();
    expect(bundle.error, 'an old error does not stay').toBeUndefined();
    expect((asked[1]?.request as BundleRequest).note).toBe('calls drop');
  });

  test('ends with the core, and an answer that comes after that is of nothing', async () => {
    const { bundle, asked, settle } = setup();
    void bundle.collect();
    bundle.lose(refused('unreachable'));
    expect(bundle).toMatchObject({ making: false });
    expect(bundle.error?.code).toBe('unreachable');
    asked[0]?.give(preview());
    await settle();
    expect(bundle.preview).toBeUndefined();
  });

  test('takes the place of the one before, with all that was said of it', async () => {
    const { bundle, asked, settle } = await made();
    void bundle.save();
    asked[1]?.give({ ...preview().bundle, file: '/x.zip', beside: {} });
    await settle();
    expect(bundle.written?.file).toBe('/x.zip');
    void bundle.collect();
    expect(bundle).toMatchObject({ preview: undefined, written: undefined, file: undefined });
    asked[2]?.give(preview('aaaaaa'));
    await settle();
    expect(bundle.place).toBe('/home/otieno/Downloads/aaaaaa.zip');
  });
});

describe('writing it', () => {
  test('asks for exactly what is shown, where it was said', async () => {
    const { bundle, asked } = await made();
    bundle.place = '  /tmp/a.zip ';
    void bundle.save();
    void bundle.save();
    expect(asked.slice(1).map(({ name, request }) => [name, request])).toEqual([
      ['bundle_save', { digest: DIGEST, file: '/tmp/a.zip' }],
    ]);
  });

  test('that fails loses nothing, and can be tried again elsewhere', async () => {
    const { bundle, asked, settle } = await made();
    bundle.place = '/tmp/taken.zip';
    void bundle.save();
    asked[1]?.refuse(refused('usage'));
    await settle();
    expect(bundle).toMatchObject({ saving: false, written: undefined, place: '/tmp/taken.zip' });
    expect(bundle.saveError?.hint).toBe('do this');
    expect(bundle.preview).toBeDefined();
    bundle.place = '/tmp/free.zip';
    void bundle.save();
    expect(bundle.saveError).toBeUndefined();
    asked[2]?.give({ ...preview().bundle, file: '/tmp/free.zip', beside: {} });
    await settle();
    expect(bundle.written?.file).toBe('/tmp/free.zip');
  });
});

describe('looking at a file', () => {
  test('the last one chosen is the one that is shown, whatever comes first', async () => {
    const { bundle, asked, settle } = await made();
    void bundle.look(file('a'));
    void bundle.look(file('b'));
    expect(asked.slice(1).map(({ request }) => request)).toEqual([
      { digest: DIGEST, path: 'a' },
      { digest: DIGEST, path: 'b' },
    ]);
    asked[2]?.give({ text: 'of b', left_out: 3 });
    await settle();
    asked[1]?.give({ text: 'of a', left_out: 0 });
    await settle();
    expect(bundle.file).toMatchObject({ row: { path: 'b' }, text: 'of b', leftOut: 3 });
  });

  test('one that is not in it is not asked for', async () => {
    const { bundle, asked } = await made();
    void bundle.look(file('a', { state: 'failed', why: 'no answer' }));
    expect(asked).toHaveLength(1);
    expect(bundle.file?.row.why).toBe('no answer');
  });

  test('that is closed stays closed', async () => {
    const { bundle, asked, settle } = await made();
    void bundle.look(file('a'));
    bundle.closeFile();
    asked[1]?.give({ text: 'of a', left_out: 0 });
    await settle();
    expect(bundle.file).toBeUndefined();
  });
});

describe('a link that names a run', () => {
  test('fills in the run, over what was collected about another, which stays', async () => {
    const { bundle } = await made();
    bundle.set({ note: 'kept' });
    bundle.about('R1');
    expect(bundle).toMatchObject({ editing: true, form: { run: 'R1', note: 'kept' } });
    expect(bundle.preview).toBeDefined();
  });

  test('changes nothing while one is made', () => {
    const { bundle } = setup();
    void bundle.collect();
    bundle.about('R1');
    expect(bundle.form.run).toBe('');
  });
});
