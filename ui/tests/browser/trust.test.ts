/** Scripts that are not the console's own, and parameters that stand for a secret. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asked, calls, focused, launch, within } from './window';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

const inWindow = within(() => browser);
const ID = 'e5-tunnel-stale';
const SHA = 'b1946ac92492d2347c6235b4d2611184e3b0c44298fc1c149afbf4c8996fb924';

describe('a script that is not trusted', () => {
  test('is named with its file and whole hash, makes no plan, and shows no script', () =>
    inWindow({ scenario: 'untrusted', hash: `#/playbook/${ID}` }, async ({ page, at }) => {
      await at('trust-notice').waitFor();
      const notice = (await at('trust-notice').innerText()).replace(/\s+/g, ' ');
      expect(notice).toContain('not part of the console');
      expect(notice).toContain('never been trusted here, or it has changed since');
      expect(notice).toContain(`${ID}.rhai`);
      expect(await at('trust-sha').textContent()).toBe(SHA);
      expect(await at('make-plan').isDisabled()).toBe(true);
      expect(await page.locator('#plan-note').textContent()).toContain('not trusted');
      await page.keyboard.press('p');
      expect(await calls(page)).not.toContain('plan');
      expect(await page.getByText(/read the script/i).count()).toBe(0);
    }));

  test('is trusted by saying where it is from and by the button, with the hash that was shown', () =>
    inWindow({ scenario: 'untrusted', hash: `#/playbook/${ID}` }, async ({ page, at }) => {
      await at('trust-script').waitFor();
      expect(await at('trust-script').isDisabled()).toBe(true);
      expect(await page.locator('#trust-why').textContent()).toBe(
        'Say first that you know where it is from.',
      );
      await at('trust-knows').focus();
      await page.keyboard.press('Enter');
      expect(await calls(page)).not.toContain('trust');
      await at('trust-knows').check();
      await at('trust-script').click();
      await at('trust-notice').waitFor({ state: 'detached' });
      expect(await asked(page, 'trust')).toEqual([{ id: ID, sha256: SHA }]);
      await page.getByText('not part of the console, trusted by its hash').waitFor();
    }));

  test('that changes meanwhile is another question: nothing is trusted, and the box is empty again', () =>
    inWindow({ scenario: 'untrusted', hash: `#/playbook/${ID}` }, async ({ page, at }) => {
      await at('trust-knows').check();
      const other = 'f'.repeat(64);
      await page.evaluate(([id, sha]) => window.ratibaFake?.rewrite(id ?? '', sha ?? ''), [ID, other]);
      await at('trust-script').click();
      await at('trust-error').waitFor();
      expect(await at('trust-error').textContent()).toContain('changed while you looked');
      await expect.poll(() => at('trust-sha').textContent()).toBe(other);
      expect(await at('trust-knows').isChecked()).toBe(false);
      expect(await at('trust-script').isDisabled()).toBe(true);
    }));

  test('is not said to be broken, nor how bad its fault is', () =>
    inWindow({ scenario: 'untrusted', hash: `#/playbook/${ID}` }, async ({ page, at }) => {
      await at('trust-notice').waitFor();
      expect(await page.getByText('can’t be used').count()).toBe(0);
      expect(await page.getByText('while it lasts').count()).toBe(0);
      await page.getByText('known once it is trusted').waitFor();
    }));

  test('can not be trusted from a read-only profile', () =>
    inWindow({ scenario: 'untrusted', hash: `#/playbook/${ID}`, more: 'read_only=1' }, async ({ at }) => {
      await at('trust-notice').getByText('read-only').waitFor();
      expect(await at('trust-script').count()).toBe(0);
      expect(await at('trust-knows').count()).toBe(0);
    }));

  test('says so in the runbook too', () =>
    inWindow({ scenario: 'untrusted', hash: '#/runbook' }, async ({ at }) => {
      expect(await at(`verdict-${ID}`).textContent()).toContain('Not trusted');
    }));
});

describe('a secret', () => {
  const PAGE = '#/playbook/02-whatsapp-signature-403';

  test('is asked for as the place it is in, and the window says that it never sees it', () =>
    inWindow({ scenario: 'secret', hash: PAGE }, async ({ page, at }) => {
      await at('param-app_secret').waitFor();
      expect(await at('param-app_secret').getAttribute('type')).toBe('text');
      const hint = await page.locator('#param-app_secret-secret').innerText();
      for (const part of ['env:NAME', 'file:PATH', 'dotenv:NAME', 'never sees it'])
        expect(hint).toContain(part);
      expect(await at('param-app_secret').getAttribute('aria-describedby')).toContain(
        'param-app_secret-secret',
      );
    }));

  test('typed itself is not sent anywhere', () =>
    inWindow({ scenario: 'secret', hash: PAGE }, async ({ page, at }) => {
      const typed = '9f86d081884c7d659a2feaa0c55ad015';
      await at('param-app_secret').fill(typed);
      await at('make-plan').click();
      await page.getByText('Never the secret itself').waitFor();
      await expect.poll(() => focused(page)).toBe('param-app_secret');
      const sent = await page.evaluate(() => JSON.stringify(window.ratibaFake?.calls));
      expect(sent).not.toContain(typed);
      expect(await calls(page)).not.toContain('plan');
    }));

  test('as a place is sent as such', () =>
    inWindow({ scenario: 'secret', hash: PAGE }, async ({ page, at }) => {
      await at('param-app_secret').fill('env:META_APP_SECRET');
      await at('make-plan').click();
      await at('plan-step-1').waitFor();
      expect(await asked(page, 'plan')).toMatchObject([{ params: { app_secret: 'env:META_APP_SECRET' } }]);
    }));
});
