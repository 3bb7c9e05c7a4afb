/** A new failure mode: what is asked for, the files that are shown, and writing them, where there is a place for them. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asked, calls, launch, within, type Opened } from './window';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

const inWindow = within(() => browser);
const AT = { scenario: 'healthy', hash: '#/runbook/new' };
const TOLD = {
  title: 'The queue grows',
  symptom: 'Jobs wait for minutes',
  diagnosis: 'One worker is stuck.\n# Undo',
  fix: 'docker compose restart worker\necho "$x" `y`',
};

async function fill({ at }: Opened): Promise<void> {
  for (const [name, text] of Object.entries(TOLD)) await at(`new-${name}`).fill(text);
}

describe('a new failure mode', () => {
  test('is begun on the Runbook page, and names what is still empty', () =>
    inWindow({ scenario: 'healthy', hash: '#/runbook' }, async ({ page, at }) => {
      await at('new-failure-mode').click();
      await page.getByRole('heading', { name: 'New failure mode' }).waitFor();
      expect(await at('new-show').isDisabled()).toBe(true);
      await at('new-title').fill('x');
      expect(await page.locator('#new-why').textContent()).toBe('Still empty: Symptom, Diagnosis, Fix.');
      expect(await at('nav-runbook').getAttribute('aria-current')).not.toBeNull();
    }));

  test('is only shown where there is no folder to write to, and says why', () =>
    inWindow(AT, async (window) => {
      const { page, at } = window;
      await fill(window);
      await at('new-show').click();
      await page.getByText('tests/drills/14-the-queue-grows.toml').waitFor();
      expect(await at('new-files').locator('pre').count()).toBe(2);
      expect(await at('new-write').isDisabled()).toBe(true);
      expect(await at('new-why-not').textContent()).toContain('RATIBA_PLAYBOOKS names no folder');
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      await page.getByRole('button', { name: 'Copy' }).first().click();
      await page.getByText('Copied').waitFor();
      expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('// Jobs wait for minutes');
      expect(await calls(page)).not.toContain('failure_mode_write');
    }));

  test('is written by the button, with the row and the id that were shown, and never by showing it', () =>
    inWindow({ ...AT, more: 'checkout=/src/console' }, async (window) => {
      const { page, at } = window;
      await fill(window);
      await at('new-severity').selectOption('minor');
      await at('new-show').click();
      await at('new-write').waitFor();
      expect(await at('new-why-not').textContent()).toContain('/src/console');
      expect(await calls(page)).not.toContain('failure_mode_write');
      await at('new-write').click();
      await at('new-written').waitFor();
      expect(await at('new-written').innerText()).toContain('playbooks/14-the-queue-grows.rhai');
      const sent = { ...TOLD, severity: 'minor', id: '14-the-queue-grows', row: '14' };
      expect(await asked(page, 'failure_mode_write')).toEqual([sent]);
    }));

  test('that was changed must be shown again before it is written', () =>
    inWindow({ ...AT, more: 'checkout=/src/console' }, async (window) => {
      const { at } = window;
      await fill(window);
      await at('new-show').click();
      await at('new-write').waitFor();
      await at('new-fix').fill('something else');
      await at('new-files').waitFor({ state: 'detached' });
    }));

  test('that can’t be made says why', () =>
    inWindow(AT, async (window) => {
      await fill(window);
      await window.at('new-row').fill('5');
      await window.at('new-show').click();
      await window.at('new-error').waitFor();
      expect(await window.at('new-error').innerText()).toContain('taken by 05-fsm-stuck-collect-slot');
    }));
});
