/** The Runbook page: what is remembered of each row, finding one by what is typed, and what evidence shows itself. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { triage, verdict, evidence, withShown } from '../../src/lib/host/fake/stack';
import { asked, focused, launch, within, type Opened } from './window';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

const inWindow = within(() => browser);
const REDIS = '#/playbook/01-service-unhealthy?service=redis';
const text = async (window: Opened, testid: string): Promise<string> =>
  ((await window.at(testid).textContent()) ?? '').replace(/\s+/g, ' ').trim();

describe('the Runbook page', () => {
  test('says of a row whom it is about, when it was seen, drilled and repaired', () =>
    inWindow({ scenario: 'redis-stopped', hash: '#/runbook' }, async (window) => {
      const row = window.at('verdict-01-service-unhealthy');
      expect(await row.getByTestId('subjects').textContent()).toBe('redis, backend');
      expect(await text(window, 'seen-01-service-unhealthy')).toBe('Last seen: Now');
      expect(await text(window, 'drilled-01-service-unhealthy')).toBe(
        'Last drilled: Proven 5 d ago, fb94dcc',
      );
      expect(await text(window, 'run-01-service-unhealthy')).toBe('Last run: Fixed 1 h ago');
      expect(await text(window, 'seen-10-backend-memory')).toBe('Last seen: 19 d ago');
      expect(await text(window, 'drilled-03-livekit-sip-down')).toBe('Last drilled: 1 of 3 1 failed');
      expect(await text(window, 'run-10-backend-memory')).toBe('Last run: Never');
      const extras = window.at('runbook-extras').getByRole('listitem');
      expect(await extras.count(), 'e1 to e5 stand apart').toBe(5);
    }));

  test('what can’t be read is unknown, and never “never”', () =>
    inWindow({ scenario: 'not-remembered', hash: '#/runbook' }, async (window) => {
      await window.at('not-remembered').waitFor();
      expect(await text(window, 'seen-02-whatsapp-signature-403')).toBe('Last seen: Unknown');
      expect(await text(window, 'run-02-whatsapp-signature-403')).toBe('Last run: Unknown');
    }));

  test('a row that ceases is remembered at once', () =>
    inWindow({ scenario: 'redis-stopped', hash: '#/runbook' }, async ({ page, at, ...rest }) => {
      await at('verdict-01-service-unhealthy').waitFor();
      const before = (await asked(page, 'runbook')).length;
      const nothing = triage([], { taken_at: new Date(Date.now() + 60_000).toISOString() });
      await page.evaluate((one) => window.ratibaFake?.push({ type: 'triage', triage: one }), nothing);
      await expect
        .poll(() => text({ page, at, ...rest }, 'seen-01-service-unhealthy'))
        .toBe('Last seen: 1 h ago');
      await expect.poll(async () => (await asked(page, 'runbook')).length).toBeGreaterThan(before);
    }));

  test('is searched by subject and answer, and the keyboard goes on into the list', () =>
    inWindow({ scenario: 'redis-stopped', hash: '#/runbook' }, async ({ page, at }) => {
      await at('verdict-01-service-unhealthy').waitFor();
      await page.keyboard.press('/');
      await page.keyboard.type('suspected');
      expect(await page.locator('[data-testid^="verdict-"]').count()).toBe(1);
      await page.getByText('1 of 18 rows').waitFor();
      await page.keyboard.press('ArrowDown');
      expect(await page.evaluate(() => document.activeElement?.getAttribute('href'))).toContain(
        '07-payment-pending',
      );
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Payments stay pending for too long' }).waitFor();
    }));
});

describe('evidence', () => {
  test('shows what was looked at itself, and holds it while one reads', () =>
    inWindow({ scenario: 'redis-stopped', hash: REDIS }, async ({ page, at }) => {
      const logs = page.getByTestId('evidence-against').getByTestId('evidence-line');
      await logs.getByTestId('show-me').click();
      await logs.getByText('Received SIGTERM scheduling shutdown').waitFor();
      expect(await logs.textContent(), 'when and where').toMatch(/Read from logs at [\s\S]*7 lines/);
      expect(await logs.textContent()).toContain('Not shown: 13 earlier lines.');
      expect(await logs.textContent(), 'whose number is not shown').toContain('stands for people’s numbers');

      const newer = withShown(evidence('logs', 'redis: last lines', 'one more', true), {
        items: ['a newer line'],
      });
      const again = triage(
        [verdict('01-service-unhealthy', 'present', { subject: { service: 'redis' }, evidence: [newer] })],
        { taken_at: new Date(Date.now() + 60_000).toISOString() },
      );
      await page.evaluate((one) => window.ratibaFake?.push({ type: 'triage', triage: one }), again);
      await at('shown-renew').waitFor();
      expect(await logs.textContent(), 'what is read stays').toContain('Received SIGTERM');
      await at('shown-renew').click();
      await logs.getByText('a newer line').waitFor();
      await at('show-me').click();
      await at('shown').waitFor({ state: 'detached' });
    }));

  test('is copied as text', () =>
    inWindow({ scenario: 'redis-stopped', hash: REDIS }, async ({ page, at }) => {
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      await page.getByTestId('evidence-for').getByTestId('show-me').click();
      await at('shown-copy').click();
      await page.getByText('Copied').waitFor();
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      expect(copied).toContain('container: 4b0d99e1c2aa\nexit code: 137\n');
    }));
});

describe('choices', () => {
  const LONG = { scenario: 'long-lists', hash: '#/playbook/05-fsm-stuck-collect-slot' };

  test('in a long list are found by typing, and what is not shown stays chosen', () =>
    inWindow(LONG, async ({ page, at }) => {
      await at('param-staff-search').fill('kamau 1');
      const box = page.getByRole('group', { name: 'Staff: what there is' });
      expect(await box.getByRole('checkbox').count()).toBeLessThan(20);
      await page.getByText('3 of 140 chosen, 2 of them not shown').waitFor();
      await page.getByRole('button', { name: 'None shown' }).first().click();
      await page.getByText('2 of 140 chosen, 2 of them not shown').waitFor();
      await at('param-staff-search').fill('no such person');
      await page.getByText('Nothing matches “no such person”.').waitFor();
      await at('param-staff-search').fill('');
      await at('param-staff-p139').check();
      expect(await at('param-staff-p1').isChecked()).toBe(true);
      expect(await at('param-staff-p0').isChecked()).toBe(false);
    }));

  test('that are not there say why, and what is needed keeps the plan from being made', () =>
    inWindow(LONG, async ({ page, at }) => {
      await at('param-blocks-none').waitFor();
      expect(await at('param-blocks-none').textContent()).toContain('No block is ahead');
      await at('make-plan').click();
      await page.getByText('Tunnel is needed.').waitFor();
      await expect.poll(() => focused(page)).toBe('param-tunnel');
      expect(await asked(page, 'plan')).toEqual([]);
    }));

  test('that the finding does not need are not asked for', () =>
    inWindow(LONG, async ({ at }) => {
      await at('param-staff').waitFor();
      expect(await at('param-start').count(), 'the page has it, the finding has not').toBe(0);
    }));
});
