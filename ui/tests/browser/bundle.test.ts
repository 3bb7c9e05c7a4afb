/** The bundle as a person uses it: makes one, looks at it, writes it; and a window that was opened on one. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BundleRequest, LogRequest } from '../../src/lib/host/generated/wire';
import { asked, calls, expectAccessible, focused, launch, tabTo, within, type Opened } from './window';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());
const inWindow = within(() => browser);

const BUNDLE = { scenario: 'redis-stopped', hash: '#/bundle' };
const CAPTURED = 'kind=pilot&captured=2026-11-20T17:28:13Z';
const TAKEN = '/home/otieno/Downloads/taken.zip';

async function collected({ at }: Opened): Promise<void> {
  await at('bundle-collect').click();
  await at('bundle-summary').waitFor();
}

describe('making one', () => {
  test('asks for what was chosen', () =>
    inWindow({ scenario: 'journal', hash: '#/bundle' }, async ({ page, at }) => {
      await at('bundle-note').fill('calls drop since noon');
      await at('bundle-from-6h').check();
      await at('bundle-run').selectOption('01KAVX00000000000000000NOT');
      await at('bundle-collector-git').uncheck();
      expect(await at('bundle-without').textContent()).toContain('1 left out');
      const before = Date.now();
      await at('bundle-collect').click();
      await at('bundle-summary').waitFor();
      const [request] = (await asked(page, 'bundle_preview')) as BundleRequest[];
      expect(request).toMatchObject({
        note: 'calls drop since noon',
        run: '01KAVX00000000000000000NOT',
        without: ['git'],
      });
      const back = before - Date.parse(request?.since ?? '');
      expect(Math.abs(back - 6 * 3600_000)).toBeLessThan(60_000);
      const row = at('bundle-row-git-log.txt');
      expect(await row.getAttribute('data-state')).toBe('skipped');
      expect(await row.textContent()).toContain('it was not wanted');
    }));

  test('says what is done meanwhile and for how long, and can be stopped without losing what was typed', () =>
    inWindow({ ...BUNDLE, more: 'hold=9' }, async ({ page, at }) => {
      await at('bundle-note').fill('calls drop');
      await at('bundle-collector-memos').uncheck();
      await at('bundle-collect').click();
      await at('bundle-line').nth(8).waitFor();
      expect(await at('bundle-line').allTextContents()).toContainEqual(
        expect.stringContaining('threads: 0 KiB, 1 not collected'),
      );
      await expect.poll(() => at('bundle-elapsed').textContent(), { timeout: 10_000 }).toMatch(/^[1-9]\d*\s/);
      await at('bundle-cancel').click();
      await at('bundle-stopped').waitFor();
      expect(await calls(page)).toContain('bundle_cancel');
      expect(await at('bundle-making').count()).toBe(0);
      expect(await at('bundle-error').count(), 'to stop it is no error').toBe(0);
      expect(await at('bundle-note').inputValue()).toBe('calls drop');
      expect(await at('bundle-collector-memos').isChecked()).toBe(false);
      expect(await focused(page)).toBe('bundle-note');
    }));

  test('goes on while one looks elsewhere', () =>
    inWindow({ ...BUNDLE, more: 'hold=4' }, async ({ page, at }) => {
      await at('bundle-collect').click();
      await at('bundle-line').nth(3).waitFor();
      await at('nav-overview').click();
      await at('wrong-now').waitFor();
      await page.evaluate(() => window.ratibaFake?.release());
      await page.keyboard.press('g');
      await page.keyboard.press('b');
      await at('bundle-summary').waitFor();
      expect(await asked(page, 'bundle_preview'), 'it was asked for once').toHaveLength(1);
    }));

  test('that fails says why and what to do, and the form keeps what was typed', () =>
    inWindow({ scenario: 'bundle-leaks', hash: '#/bundle' }, async ({ at }) => {
      await at('bundle-note').fill('look at the backend');
      await at('bundle-collect').click();
      await at('bundle-error').waitFor();
      const said = await at('bundle-error').textContent();
      expect(said).toContain('logs/backend.log: a value of META_APP_SECRET');
      expect(said).toContain('Nothing was written');
      expect(await at('bundle-note').inputValue()).toBe('look at the backend');
      expect(await at('bundle-collect').isEnabled()).toBe(true);
    }));

  test('ends when the core is lost, and says so', () =>
    inWindow({ ...BUNDLE, more: 'hold=4' }, async ({ page, at }) => {
      await at('bundle-collect').click();
      await at('bundle-line').nth(3).waitFor();
      await page.evaluate(() => window.ratibaFake?.drop());
      await at('bundle-error').waitFor();
      expect(await at('bundle-collect').isDisabled()).toBe(true);
    }));
});

describe('looking at it before it leaves', () => {
  test('what is not in it stands first, each with its reason', () =>
    inWindow(BUNDLE, async (window) => {
      await collected(window);
      const { page, at } = window;
      const missing = await at('bundle-missing').locator('li').allTextContents();
      expect(missing).toHaveLength(3);
      expect(missing[0]).toContain('threads.jsonl');
      expect(missing[0]).toContain('redis does not answer: connection refused on 127.0.0.1:6381');
      const row = at('bundle-row-threads.jsonl');
      expect(await row.getAttribute('data-state')).toBe('failed');
      expect(await row.textContent()).toContain('connection refused');
      expect(await at('bundle-replaced').textContent()).toContain('4,212');
      expect(await focused(page)).toBe('H1');
      await row.getByRole('button').click();
      expect(await at('bundle-file-why').textContent()).toContain('connection refused');
      expect(await asked(page, 'bundle_file'), 'there is no text to ask for').toEqual([]);
    }));

  test('a file opens with its text, as far as it is shown, and what was replaced in it', () =>
    inWindow(BUNDLE, async (window) => {
      await collected(window);
      const { page, at } = window;
      await at('bundle-look-logs/backend.log').click();
      await at('bundle-text').waitFor();
      expect(await at('bundle-text').textContent()).toContain('from=‹phone-12›');
      expect(await at('bundle-file-rules').textContent()).toContain('phone 1,894');
      expect(await at('bundle-left-out').textContent()).toContain('MiB more are in the bundle');
      const inSight = await at('bundle-look-logs/backend.log').evaluate((row) => {
        const { x, y, width, height } = row.getBoundingClientRect();
        return row.contains(document.elementFromPoint(x + width / 2, y + height / 2));
      });
      expect(inSight, 'the row that was chosen is still in sight').toBe(true);
      await page.keyboard.press('Escape');
      await at('bundle-file').waitFor({ state: 'detached' });
      expect(await focused(page)).toBe('bundle-look-logs/backend.log');
      await page.keyboard.press('j');
      expect(await focused(page)).toBe('bundle-look-logs/livekit.log');
    }));

  test('the drafts can be copied', () =>
    inWindow(BUNDLE, async (window) => {
      await window.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      await collected(window);
      const { page, at } = window;
      for (const [id, begins] of [
        ['message', 'Wanjiku, I need help'],
        ['deviation', '## 2026-11-26'],
      ] as const) {
        await at(`bundle-copy-${id}`).click();
        await at(`bundle-${id}`).getByText('Copied').waitFor();
        expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(new RegExp(`^${begins}`));
      }
    }));

  test('what was collected stays while the form is changed, until it is collected again', () =>
    inWindow(BUNDLE, async (window) => {
      const { at } = window;
      await at('bundle-note').fill('first');
      await collected(window);
      await at('bundle-again').click();
      expect(await at('bundle-note').inputValue()).toBe('first');
      await at('bundle-back').click();
      await at('bundle-summary').waitFor();
      await at('bundle-again').click();
      await collected(window);
    }));
});

describe('writing it', () => {
  test('shows path and digest, what stands beside it, what stays here, and that nothing was sent', () =>
    inWindow(BUNDLE, async (window) => {
      await collected(window);
      const { page, at } = window;
      const place = await at('bundle-place').inputValue();
      expect(place).toMatch(/^\/home\/otieno\/Downloads\/ratiba-escalation-.*\.zip$/);
      await at('bundle-facts').locator('summary').click();
      const digest = await at('bundle-digest').textContent();
      await at('bundle-save').click();
      await at('bundle-written').waitFor();
      expect(await at('bundle-path').textContent()).toBe(place);
      expect(await at('bundle-written-digest').textContent()).toBe(digest);
      expect(await asked(page, 'bundle_save')).toEqual([{ digest, file: place }]);
      const said = await at('bundle-written').textContent();
      expect(said).toContain('Nothing was sent');
      expect(said).toContain('.message.txt');
      expect(said).toContain('.zip.sha256');
      expect(await at('bundle-pseudonyms-file').textContent()).toContain('Do not send it');
      await expectAccessible(page);
    }));

  test('over a file that is there fails, and keeps everything; another place is then taken', () =>
    inWindow(BUNDLE, async (window) => {
      const { page, at } = window;
      await at('bundle-note').fill('kept');
      await collected(window);
      await at('bundle-place').fill(TAKEN);
      await page.keyboard.press('Enter');
      await at('bundle-save-error').waitFor();
      expect(await at('bundle-save-error').textContent()).toContain(
        'is there already, and nothing is overwritten',
      );
      expect(await at('bundle-place').inputValue()).toBe(TAKEN);
      await at('bundle-summary').waitFor();
      expect(await at('bundle-written').count()).toBe(0);
      await at('bundle-place').fill('~/Downloads/other.zip');
      await at('bundle-save').click();
      await at('bundle-written').waitFor();
      expect(await at('bundle-path').textContent()).toBe('/home/otieno/Downloads/other.zip');
      await at('bundle-again').click();
      expect(await at('bundle-note').inputValue()).toBe('kept');
    }));

  test('all of it with the keyboard alone', () =>
    inWindow({ scenario: 'healthy' }, async ({ page, at }) => {
      await at('wrong-nothing').waitFor();
      await page.keyboard.press('g');
      await page.keyboard.press('b');
      await at('bundle-form').waitFor();
      await tabTo(page, 'bundle-collect');
      await page.keyboard.press('Enter');
      await at('bundle-summary').waitFor();
      await tabTo(page, 'bundle-look-README.md');
      await page.keyboard.press('Enter');
      await at('bundle-text').waitFor();
      await page.keyboard.press('Escape');
      expect(await focused(page)).toBe('bundle-look-README.md');
      await tabTo(page, 'bundle-save');
      await page.keyboard.press('Enter');
      await at('bundle-written').waitFor();
    }));
});

describe('what leads to it', () => {
  test('where something is wrong and no row fits', () =>
    inWindow({ scenario: 'unmatched' }, async ({ at }) => {
      await at('wrong-unmatched').waitFor();
      expect(await at('wrong-unmatched').innerText()).toMatch(
        /17 rows ruled out, 1 could not be\s+looked at/,
      );
      await at('unmatched-bundle').click();
      await at('bundle-form').waitFor();
      expect(await at('bundle-run').inputValue()).toBe('');
    }));

  test('a run that did not help, which is then the one it is about; not one that did', () =>
    inWindow({ scenario: 'journal', hash: '#/journal/01KAVX00000000000000000FAI' }, async ({ page, at }) => {
      await at('run-bundle').click();
      await at('bundle-form').waitFor();
      expect(await at('bundle-run').inputValue()).toBe('01KAVX00000000000000000FAI');
      await at('bundle-collect').click();
      await at('bundle-summary').waitFor();
      expect(await asked(page, 'bundle_preview')).toMatchObject([{ run: '01KAVX00000000000000000FAI' }]);
      await page.evaluate(() => (location.hash = '#/journal/01KAVX00000000000000000UND'));
      await page.getByText('What was seen afterwards').waitFor();
      expect(await at('run-bundle').count()).toBe(0);
    }));

  test('a repair that has just failed', () =>
    inWindow(
      { scenario: 'not-fixed', hash: '#/playbook/01-service-unhealthy?service=redis' },
      async ({ page, at }) => {
        await at('make-plan').click();
        await at('review-plan').click();
        await at('confirm-act').click();
        await page.locator('[data-testid="run-outcome"][data-outcome="not_fixed"]').waitFor();
        await at('run-bundle').click();
        await at('bundle-form').waitFor();
        expect(await at('bundle-run').inputValue()).toMatch(/^01KAVXRUN/);
      },
    ));
});

describe('a window that was opened on a bundle', () => {
  test('says so, of when, and that nothing can be done there', () =>
    inWindow({ scenario: 'redis-stopped', more: CAPTURED }, async ({ page, at }) => {
      await at('captured-file').waitFor();
      expect(await at('env-band').textContent()).toContain('captured 2026-11-20 17:28 UTC');
      expect(await at('env-band').getAttribute('data-kind')).toBe('bundle');
      expect(await at('captured-file').textContent()).toBe('ratiba-escalation-20261120T172813Z-795e50.zip');
      await at('read-only').waitFor();
      const colour = await at('env-band').evaluate((band) => getComputedStyle(band).backgroundColor);
      expect(colour).toBe('rgb(109, 74, 18)');
      expect(await at('triage').count()).toBe(0);
      const looked = (await asked(page, 'triage')).length;
      await page.keyboard.press('t');
      await page.keyboard.press('?');
      await page.locator('[data-key="triage"]').getByText('a bundle stays as it is').waitFor();
      expect(await asked(page, 'triage')).toHaveLength(looked);
    }));

  test('counts ages from the capture, so that nothing looks stale that was not', () =>
    inWindow({ scenario: 'redis-stopped', more: CAPTURED }, async ({ page, at }) => {
      await at('source-docker').waitFor();
      expect(await at('source-docker').textContent()).toMatch(/ok.*\d\ss/);
      expect(await at('source-redis').textContent()).toMatch(/down.*2\smin/);
      expect(await at('tile-postgres').getAttribute('data-stale')).toBe('false');
      expect(await at('tile-postgres').textContent()).toMatch(/for 4\sh/);
      expect(await page.locator('main').textContent()).not.toMatch(/\d\sd(?: ago)?\b/);
    }));

  test('has no plan, no look, no follow, nothing to try again', () =>
    inWindow(
      { scenario: 'redis-stopped', hash: '#/playbook/01-service-unhealthy?service=redis', more: CAPTURED },
      async ({ page, at }) => {
        await at('evidence-against').waitFor();
        for (const absent of ['make-plan', 'look-again', 'triage']) expect(await at(absent).count()).toBe(0);
        await page.keyboard.press('p');
        await at('nav-logs').click();
        await at('log-line').first().waitFor();
        expect(await at('log-follow').count()).toBe(0);
        expect(await at('log-pill').count()).toBe(0);
        const [question] = (await asked(page, 'logs')) as LogRequest[];
        expect(question).toMatchObject({ follow: false, since: '2026-11-20T17:13:13.000Z' });
        await at('nav-journal').click();
        await page.locator('[data-testid^="journal-run-"] a').first().click();
        await page.getByText('What was seen afterwards').waitFor();
        expect(await at('undo-run').count()).toBe(0);
        expect(await at('run-bundle').count()).toBe(0);
        const refused = ['choices', 'diagnose', 'plan', 'bundle_preview', 'undo_plan', 'verify_run'];
        expect((await calls(page)).filter((name) => refused.includes(name))).toEqual([]);
      },
    ));

  test('offers no bundle of a bundle where no row fits', () =>
    inWindow({ scenario: 'unmatched', more: CAPTURED }, async ({ at }) => {
      await at('wrong-unmatched').waitFor();
      expect(await at('unmatched-bundle').count()).toBe(0);
    }));

  test('shows what is in it, file by file, and no form', () =>
    inWindow({ ...BUNDLE, more: CAPTURED }, async ({ page, at }) => {
      await at('bundle-summary').waitFor();
      expect(await at('bundle-form').count()).toBe(0);
      expect(await at('bundle-place').count()).toBe(0);
      expect(await at('bundle-facts').textContent()).toContain('2026-11-20 17:28 UTC');
      expect(await at('bundle-facts').textContent()).toContain('Calls drop since the last pull.');
      expect(await at('bundle-row-threads.jsonl').textContent()).toContain('connection refused');
      await at('bundle-look-README.md').click();
      await at('bundle-text').waitFor();
      expect(await at('bundle-text').textContent()).toContain('redis has exited with code 137');
      await expectAccessible(page);
    }));
});
