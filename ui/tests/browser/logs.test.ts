/** The Logs page as a person uses it: narrows the lines, reads one, follows, and comes to it from a finding. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { line } from '../../src/lib/host/fake/log-lines';
import type { LogLineView, LogRequest } from '../../src/lib/host/generated/wire';
import { asked, calls, expectAccessible, focused, launch, tabTo, within, type Opened } from './window';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());
const inWindow = within(() => browser);
const LOGS = { hash: '#/logs' };

const questions = (page: Page): Promise<LogRequest[]> => asked(page, 'logs') as Promise<LogRequest[]>;
const lastQuestion = async (page: Page): Promise<LogRequest | undefined> => (await questions(page)).at(-1);
const write = (page: Page, lines: LogLineView[], over = {}): Promise<void> =>
  page.evaluate(([more, also]) => window.ratibaFake?.write(more, also), [lines, over] as const);
const fresh = (n: number, text = 'just written'): LogLineView[] =>
  Array.from({ length: n }, (_, i) => line(0, 'backend', 'info', `${text} ${i}`));
const shown = (page: Page): Promise<string[]> =>
  page.getByTestId('log-line').evaluateAll((rows) =>
    rows
      .map((row) => [Number(row.getAttribute('aria-rowindex')), row.textContent ?? ''] as const)
      .sort((a, b) => a[0] - b[0])
      .map(([, text]) => text),
  );
const ready = ({ at }: Opened): Promise<void> => at('log-line').first().waitFor();
/** How far the list is from its end, in pixels. */
const fromEnd = (page: Page): Promise<number> =>
  page
    .getByTestId('log-scroller')
    .evaluate((box) => Math.round(box.scrollHeight - box.clientHeight - box.scrollTop));
const scrollUp = async ({ page, at }: Opened): Promise<void> => {
  await at('log-scroller').hover();
  await page.mouse.wheel(0, -600);
  await expect.poll(() => at('log-follow').getAttribute('aria-pressed')).toBe('false');
  await page.mouse.move(1, 1);
};

describe('narrowing the lines', () => {
  test('to the thread of a line, and back', () =>
    inWindow({ scenario: 'redis-stopped', ...LOGS }, async (window) => {
      const { page, at } = window;
      await ready(window);
      const count = async (): Promise<number> => parseInt((await at('log-count').textContent()) ?? '', 10);
      const before = await count();
      await page.getByTestId('log-line').filter({ hasText: 'webhook.whatsapp failed' }).last().click();
      await at('log-details').waitFor();
      const thread = (await lastQuestion(page))?.thread;
      expect(thread).toBeUndefined();
      await at('log-only-thread').click();
      await at('log-chip-thread').waitFor();
      await expect.poll(async () => (await lastQuestion(page))?.thread).toMatch(/^01KAVXTHREAD/);
      expect(await at('log-thread').inputValue()).toBe((await lastQuestion(page))?.thread);
      await expect.poll(count).toBeLessThan(before / 2);
      expect(await at('log-details').textContent(), 'the line is still open').toContain('Traceback');
      expect(await page.locator('[data-testid="log-line"][aria-selected="true"]').count()).toBe(1);
      await at('log-chip-thread').getByRole('button').click();
      // The oldest leave the 15 minutes meanwhile.
      await expect.poll(count).toBeGreaterThan(before - 20);
      expect(await at('log-chips').count()).toBe(0);
    }));

  test('to a tenant, a service, and everything around a line', () =>
    inWindow({ scenario: 'redis-stopped', ...LOGS }, async (window) => {
      const { page, at } = window;
      await ready(window);
      await page.getByTestId('log-line').filter({ hasText: 'webhook.whatsapp failed' }).last().click();
      await at('log-only-tenant').click();
      await at('log-chip-tenant').waitFor();
      await at('log-only-service').click();
      await at('log-chip-service-backend').waitFor();
      expect(await lastQuestion(page)).toMatchObject({ services: ['backend'], tenant: expect.any(String) });
      await at('log-around').click();
      await at('log-chip-when').waitFor();
      const request = await lastQuestion(page);
      expect(Date.parse(request?.until ?? '') - Date.parse(request?.since ?? '')).toBe(60_000);
      expect(request).toMatchObject({ services: [], follow: false });
      expect(request?.tenant).toBeUndefined();
      await page.locator('[data-testid="log-line"][aria-selected="true"]').waitFor();
      expect(await at('log-follow').isDisabled()).toBe(true);
    }));

  test('by text, as one types, by services, by level', () =>
    inWindow({ scenario: 'redis-stopped', ...LOGS }, async (window) => {
      const { page, at } = window;
      await ready(window);
      await page.keyboard.press('/');
      expect(await focused(page)).toBe('log-grep');
      await page.keyboard.type('retries remaining$');
      await at('log-chip-grep').waitFor();
      await expect
        .poll(async () => (await shown(page)).every((text) => text.includes('retries remaining')))
        .toBe(true);
      expect(
        (await questions(page)).filter(({ grep }) => grep !== undefined).length,
        'not at each letter',
      ).toBe(1);
      await at('log-services').click();
      await at('log-service-redis').check();
      await at('log-service-worker').check();
      await page.keyboard.press('Escape');
      await at('log-services-list').waitFor({ state: 'detached' });
      expect(await focused(page)).toBe('log-services');
      await at('log-level').selectOption('warning');
      await expect
        .poll(() => lastQuestion(page))
        .toMatchObject({ services: ['redis', 'worker'], level: 'warning', grep: 'retries remaining$' });
      expect(
        await at('log-chips')
          .getByTestId(/^log-chip-/)
          .count(),
      ).toBe(4);
      await at('log-clear').click();
      await at('log-chips').waitFor({ state: 'detached' });
      expect(await at('log-grep').inputValue()).toBe('');
    }));

  test('by a pattern that is none: its sentence is at the field, and the lines stay', () =>
    inWindow({ scenario: 'healthy', ...LOGS }, async (window) => {
      const { page, at } = window;
      await ready(window);
      const before = await at('log-count').textContent();
      await at('log-grep').fill('webhook(');
      await at('log-pattern-error').waitFor();
      expect(await at('log-pattern-error').textContent()).toContain('is no regular expression');
      expect(await at('log-grep').getAttribute('aria-invalid')).toBe('true');
      expect(await at('log-count').textContent()).toBe(before);
      expect(await at('log-chips').count()).toBe(0);
      await expectAccessible(page);
      await at('log-grep').fill('webhook');
      await at('log-pattern-error').waitFor({ state: 'detached' });
      await at('log-chip-grep').waitFor();
    }));

  test('to a bar of the picture, with the pointer, and to several with a drag or the keyboard', () =>
    inWindow({ scenario: 'redis-stopped', ...LOGS }, async (window) => {
      const { page, at } = window;
      await ready(window);
      // 15 or 30 s, as 15 minutes fall on the clock.
      const span = async (): Promise<number> =>
        1000 * Number(/spans of (\d+) s/.exec((await at('log-histogram').textContent()) ?? '')?.[1]);
      const width = await span();
      const box = await at('log-bars').boundingBox();
      if (box === null) throw new Error('no bars');
      await page.mouse.click(box.x + box.width * 0.5, box.y + 20);
      await at('log-chip-when').waitFor();
      const one = await lastQuestion(page);
      expect(Date.parse(one?.until ?? '') - Date.parse(one?.since ?? '')).toBe(width);
      await at('log-chip-when').getByRole('button').click();
      await at('log-chip-when').waitFor({ state: 'detached' });
      await page.mouse.move(box.x + box.width * 0.3, box.y + 20);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.6, box.y + 20, { steps: 4 });
      await at('log-chosen').waitFor();
      await page.mouse.up();
      await at('log-chip-when').waitFor();
      const several = await lastQuestion(page);
      expect(Date.parse(several?.until ?? '') - Date.parse(several?.since ?? '')).toBeGreaterThan(4 * width);
      await page.keyboard.press('3');
      await at('log-chip-when').waitFor({ state: 'detached' });
      await expect.poll(() => at('log-count').textContent()).toMatch(/lines?$/);
      const now = await span();
      await at('log-bars').focus();
      await page.keyboard.press('Home');
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('Shift+ArrowRight');
      expect(await at('log-bars').getAttribute('aria-valuetext')).toMatch(/^\d\d:\d\d:\d\d to .* lines?/);
      await page.keyboard.press('Enter');
      await at('log-chip-when').waitFor();
      const keyed = await lastQuestion(page);
      expect(Date.parse(keyed?.until ?? '') - Date.parse(keyed?.since ?? '')).toBe(2 * now);
    }));

  test('by spans of time on the number keys', () =>
    inWindow({ scenario: 'healthy', ...LOGS }, async (window) => {
      const { page, at } = window;
      await ready(window);
      for (const [key, span] of [
        ['1', '1m'],
        ['2', '5m'],
        ['4', '1h'],
        ['5', '6h'],
        ['0', 'all'],
        ['3', '15m'],
      ] as const) {
        await page.keyboard.press(key);
        await expect.poll(() => at(`log-span-${span}`).isChecked()).toBe(true);
      }
      const since = (await questions(page)).map((one) => one.since);
      expect(since.filter((one) => one === null).length, 'all has no begin').toBe(1);
    }));
});

describe('following', () => {
  test('what is written is shown at the end, and said once it pauses', () =>
    inWindow({ scenario: 'healthy', ...LOGS }, async (window) => {
      const { page, at } = window;
      await ready(window);
      expect(await at('log-follow').getAttribute('aria-pressed')).toBe('true');
      await write(page, fresh(3));
      await write(page, fresh(2, 'and then'));
      await expect.poll(async () => (await shown(page)).at(-1)).toContain('and then 1');
      expect(await fromEnd(page)).toBe(0);
      await expect.poll(() => at('log-said').textContent()).toBe('5 new lines');
    }));

  test('one who scrolls up is not moved, is told how much is new, and gets there at once', () =>
    inWindow({ scenario: 'healthy', ...LOGS }, async (window) => {
      const { page, at } = window;
      await ready(window);
      await scrollUp(window);
      const before = await shown(page);
      const where = await fromEnd(page);
      await write(page, fresh(7));
      await write(page, fresh(5, 'last'));
      await expect.poll(() => at('log-pill').textContent()).toContain('12 new lines');
      expect(await shown(page)).toEqual(before);
      expect(await fromEnd(page)).toBe(where);
      await at('log-pill').click();
      await at('log-pill').waitFor({ state: 'detached' });
      await expect.poll(async () => (await shown(page)).at(-1)).toContain('last 4');
      expect(await at('log-follow').getAttribute('aria-pressed')).toBe('true');
    }));

  test('nothing moves under a pointer that aims; when it leaves, the lines go on', () =>
    inWindow({ scenario: 'healthy', ...LOGS }, async (window) => {
      const { page, at } = window;
      await ready(window);
      await at('log-scroller').hover();
      const before = await shown(page);
      await write(page, fresh(4));
      await at('log-pill').waitFor();
      expect(await shown(page)).toEqual(before);
      await page.mouse.move(1, 1);
      await at('log-pill').waitFor({ state: 'detached' });
      await expect.poll(async () => (await shown(page)).at(-1)).toContain('just written 3');
    }));

  test('f holds and goes on; the lines come by themselves as the stack writes', () =>
    inWindow({ scenario: 'logs-busy', ...LOGS, more: 'pace=120' }, async (window) => {
      const { page, at } = window;
      await ready(window);
      await expect.poll(async () => (await shown(page)).at(-1)).toContain('busy.line');
      await page.keyboard.press('f');
      await at('log-pill').waitFor();
      const before = await shown(page);
      const counted = await at('log-pill').textContent();
      await expect.poll(() => at('log-pill').textContent()).not.toBe(counted);
      expect(await shown(page)).toEqual(before);
      await page.keyboard.press('f');
      await at('log-pill').waitFor({ state: 'detached' });
      await expect.poll(() => fromEnd(page)).toBe(0);
    }));

  test('is over when the logs end, and is told', () =>
    inWindow({ scenario: 'healthy', ...LOGS }, async (window) => {
      const { page, at } = window;
      await ready(window);
      await write(page, [], { is_over: true, notes: ['backend was removed.'] });
      await at('log-over').waitFor();
      expect(await at('log-notes').textContent()).toContain('backend was removed.');
      expect(await at('log-follow').isDisabled()).toBe(true);
      await page.getByRole('button', { name: 'Dismiss: backend was removed.' }).click();
      expect(await at('log-notes').textContent()).not.toContain('backend was removed.');
    }));

  test('ends with the page, and begins anew after the core was lost', () =>
    inWindow({ scenario: 'healthy', ...LOGS }, async (opened) => {
      const { page, at } = opened;
      await ready(opened);
      await at('log-level').selectOption('info');
      await at('log-chip-level').waitFor();
      await page.evaluate(() => window.ratibaFake?.drop());
      await at('link-lost').waitFor();
      expect(await at('log-line').count(), 'what was known stays').toBeGreaterThan(0);
      const before = (await questions(page)).length;
      await at('reconnect').click();
      await at('link-lost').waitFor({ state: 'detached' });
      await expect.poll(async () => (await questions(page)).length).toBe(before + 1);
      expect(await lastQuestion(page)).toMatchObject({ level: 'info' });
      await at('nav-overview').click();
      await at('tile-redis').waitFor();
      expect((await calls(page)).at(-1)).toBe('logs_close');
      await page.keyboard.press('g');
      await page.keyboard.press('l');
      await ready(opened);
      expect(await lastQuestion(page), 'what was asked last').toMatchObject({ level: 'info' });
    }));
});

describe('the keyboard', () => {
  test('walks the lines, opens one, and closes it', () =>
    inWindow({ scenario: 'redis-stopped', ...LOGS }, async (window) => {
      const { page, at } = window;
      await ready(window);
      const picked = page.locator('[data-testid="log-line"][aria-selected="true"]');
      const index = async (): Promise<number> => Number(await picked.getAttribute('aria-rowindex'));
      const count = Number(await at('log-lines').getAttribute('aria-rowcount'));
      await tabTo(page, 'log-line');
      expect(await index(), 'the last line is where one comes in').toBe(count);
      await page.keyboard.press('ArrowUp');
      await page.keyboard.press('k');
      await page.keyboard.press('ArrowDown');
      await expect.poll(index).toBe(count - 1);
      await page.keyboard.press('PageUp');
      await expect.poll(index).toBeLessThan(count - 8);
      await page.keyboard.press('Home');
      await expect.poll(index).toBe(2);
      expect(await at('log-scroller').evaluate((box) => box.scrollTop)).toBe(0);
      await page.keyboard.press('PageDown');
      await expect.poll(index).toBeGreaterThan(8);
      expect(await focused(page)).toBe('log-line');
      await page.keyboard.press('Enter');
      await at('log-details').waitFor();
      const text = await at('log-text').textContent();
      await page.keyboard.press('ArrowDown');
      await expect.poll(() => at('log-text').textContent()).not.toBe(text);
      await page.keyboard.press('Escape');
      await at('log-details').waitFor({ state: 'detached' });
      expect(await focused(page)).toBe('log-line');
      await page.keyboard.press('End');
      await expect.poll(index).toBe(count);
      expect(await at('log-follow').getAttribute('aria-pressed')).toBe('true');
    }));

  test('keeps the focus on a line that is scrolled out of sight', () =>
    inWindow({ scenario: 'redis-stopped', ...LOGS }, async (window) => {
      const { page, at } = window;
      await ready(window);
      await tabTo(page, 'log-line');
      const row = await page.evaluate(() => document.activeElement?.getAttribute('aria-rowindex'));
      await at('log-scroller').evaluate((box) => (box.scrollTop = 0));
      await expect.poll(async () => (await shown(page))[0]).toBeTruthy();
      await expect
        .poll(() =>
          at('log-line').evaluateAll((rows) => rows.some((one) => one.getAttribute('aria-rowindex') === '2')),
        )
        .toBe(true);
      expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-rowindex'))).toBe(row);
    }));

  test('leaves arrows to what has its own', () =>
    inWindow({ scenario: 'healthy', ...LOGS }, async (window) => {
      const { page, at } = window;
      await ready(window);
      await at('log-span-15m').focus();
      await page.keyboard.press('ArrowRight');
      await expect.poll(() => at('log-span-1h').isChecked()).toBe(true);
      expect(await page.locator('[aria-selected="true"]').count()).toBe(0);
    }));

  test('copies a line with what can’t be seen made visible', () =>
    inWindow({ scenario: 'hostile', ...LOGS }, async (window) => {
      const { page, at } = window;
      await ready(window);
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      await page.getByTestId('log-line').filter({ hasText: 'onerror' }).first().click();
      await at('log-copy').click();
      await page.getByText('Copied').waitFor();
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      expect(copied).toContain('<img src=x onerror=');
      expect(copied).toContain('[U+202E]');
      expect(copied).not.toMatch(/[\u0000-\u0008\u001b\u202e]/);
    }));
});

describe('when there is nothing to show', () => {
  test('a longer span is offered', () =>
    inWindow({ scenario: 'logs-quiet', ...LOGS }, async ({ page, at }) => {
      await at('log-empty').waitFor();
      expect(await at('log-empty').textContent()).toContain('Nothing was written in the last 15 minutes');
      await at('log-longer').click();
      await expect.poll(() => at('log-span-1h').isChecked()).toBe(true);
      await at('log-longer').click();
      await at('log-line').first().waitFor();
      expect((await lastQuestion(page))?.since).not.toBeNull();
    }));

  test('the filters that leave nothing are named, and can be cleared', () =>
    inWindow(
      { scenario: 'healthy', hash: '#/logs?service=redis&grep=nowhere&last=1h' },
      async ({ page, at }) => {
        await at('log-filtered-out').waitFor();
        const said = await at('log-filtered-out').textContent();
        for (const word of ['in the last hour', 'service redis', 'text nowhere'])
          expect(said).toContain(word);
        await at('log-clear-here').click();
        await at('log-line').first().waitFor();
        expect(await at('log-span-1h').isChecked(), 'the time stays').toBe(true);
        expect(await lastQuestion(page)).toMatchObject({ services: [] });
      },
    ));

  test('the engine that is away is named, with what to do', () =>
    inWindow({ scenario: 'logs-away', ...LOGS }, async ({ page, at }) => {
      await at('log-error').waitFor();
      expect(await at('log-error').textContent()).toContain('Start Docker');
      const before = (await questions(page)).length;
      await at('log-again').click();
      await expect.poll(async () => (await questions(page)).length).toBe(before + 1);
    }));

  test('a stack without services has no log', () =>
    inWindow({ scenario: 'empty', ...LOGS }, async ({ page }) => {
      await page.getByText('There is no log to read').waitFor();
    }));
});

describe('from elsewhere', () => {
  test('a finding’s evidence leads to the log that it was read from, at that time', () =>
    inWindow(
      { scenario: 'redis-stopped', hash: '#/playbook/01-service-unhealthy?service=redis' },
      async (window) => {
        const { page, at } = window;
        await at('evidence-against').getByTestId('show-me').click();
        await at('open-in-logs').click();
        await at('log-chip-service-redis').waitFor();
        await at('log-chip-when').waitFor();
        const request = await lastQuestion(page);
        expect(request).toMatchObject({ services: ['redis'] });
        expect(Date.now() - Date.parse(request?.since ?? '')).toBeGreaterThan(14 * 60_000);
        await ready(window);
        expect((await shown(page)).join()).toContain('Received SIGTERM');
      },
    ));

  test('a service’s tile leads to its log', () =>
    inWindow({ scenario: 'redis-stopped' }, async (window) => {
      await window.at('logs-of-backend').click();
      await window.at('log-chip-service-backend').waitFor();
      await ready(window);
      expect(await lastQuestion(window.page)).toMatchObject({ services: ['backend'] });
    }));
});

test('hostile lines are text: no element, no script, nothing unseen', () =>
  inWindow({ scenario: 'hostile', ...LOGS }, async (window) => {
    const { page, at } = window;
    await ready(window);
    for (const text of ['onerror', 'a line without an end', 'indented by tabs']) {
      await page.getByTestId('log-line').filter({ hasText: text }).first().click();
      await expect.poll(() => at('log-text').textContent()).toContain(text);
      if (text !== 'onerror') continue;
      await at('log-only-thread').click();
      await at('log-chip-thread').waitFor();
      await at('log-only-service').click();
      await at('log-services').click();
      expect(await page.locator('main img, main script').count(), 'elements made from text').toBe(0);
      const raw = await page.evaluate(() => {
        const attributes = [...document.querySelectorAll('*')].flatMap((node) =>
          [...node.attributes].map((one) => one.value),
        );
        return [document.body.textContent ?? '', ...attributes].filter((text) =>
          /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069]/.test(text),
        );
      });
      expect(raw, 'control and bidi characters left as they were').toEqual([]);
      await page.keyboard.press('Escape');
      await at('log-clear').click();
      await at('log-chips').waitFor({ state: 'detached' });
    }
    const heights = await at('log-line').evaluateAll((rows) => rows.map((row) => row.clientHeight));
    expect(new Set(heights).size, 'one line, one row').toBe(1);
    expect(await page.title()).toBe('Ratiba Console');
  }));

test('20,000 lines are scrolled without a stutter, a few rows are drawn, and what is missing is told', () =>
  inWindow({ scenario: 'logs-many', ...LOGS }, async (window) => {
    const { page, at } = window;
    await ready(window);
    expect(await at('log-count').textContent()).toMatch(/^20,000\s+lines$/);
    expect(await at('log-earlier').textContent()).toContain(
      '5,000 earlier lines are not shown: narrow the time.',
    );
    const frames = await at('log-scroller').evaluate(async (box) => {
      const took: number[] = [];
      let most = 0;
      const frame = (): Promise<number> => new Promise((done) => requestAnimationFrame(done));
      const end = box.scrollHeight - box.clientHeight;
      let before = await frame();
      for (let i = 1; i <= 120; i++) {
        box.scrollTop = end - (end * i) / 120;
        const now = await frame();
        took.push(now - before);
        before = now;
        most = Math.max(most, box.querySelectorAll('[data-testid="log-line"]').length);
      }
      took.sort((a, b) => a - b);
      return { median: took[60] ?? 0, p95: took[114] ?? 0, worst: took[119] ?? 0, most };
    });
    console.log(`20,000 lines, 120 frames: ${JSON.stringify(frames)}`);
    expect(frames.most, 'rows that are drawn').toBeLessThan(60);
    // Generous: the machine may be busy. Rows that were all drawn would take seconds.
    expect(frames.median, 'ms for a frame').toBeLessThan(51);
    expect(frames.p95, 'ms for a frame').toBeLessThan(200);
    expect((await shown(page))[0], 'at its begin there is its first line').toBeTruthy();
    expect(await at('log-follow').getAttribute('aria-pressed')).toBe('false');
  }));
