/** A step that only a person can do: in the plan, while the run waits, and when it is done. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asked, launch, within } from './window';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

const inWindow = within(() => browser);
const REDIS = '#/playbook/01-service-unhealthy?service=redis';

test('in a plan its check is shown as it stands, and looked at again by itself', () =>
  inWindow({ scenario: 'port-clash', hash: REDIS }, async ({ page, at }) => {
    await at('make-plan').click();
    await at('check-1').getByText('Not yet').waitFor();
    expect(await at('check-1').textContent()).toContain('port 6381 is held by python3 (pid 4711)');
    expect(await at('waits-1').textContent()).toContain('waits at most 15');
    expect(await at('facts-1').textContent(), 'facts stand apart').toContain('The console never stops');
    expect(await at('instructions-1').getByRole('listitem').count()).toBe(3);
    expect(await at('tick-1-1').count(), 'nothing is ticked off before the run').toBe(0);
    await page.evaluate(() => window.ratibaFake?.hold(true));
    await at('check-1').getByText('Done already').waitFor();
    // Nobody looks any more: nothing is asked any more.
    await at('nav-runbook').click();
    await at('runbook-search').waitFor();
    const before = (await asked(page, 'plan_checks')).length;
    const age = async (): Promise<number> =>
      Number(/(\d+)\u00a0s/.exec((await at('source-docker').textContent()) ?? '')?.[1]);
    const from = await age();
    await expect
      .poll(age, { timeout: 10_000, message: 'longer than between two looks' })
      .toBeGreaterThan(from + 3);
    expect((await asked(page, 'plan_checks')).length).toBe(before);
  }));

test('what was ticked off is remembered while the run goes on, on each of its pages', () =>
  inWindow({ scenario: 'port-clash', hash: REDIS, more: 'hold=1' }, async ({ page, at }) => {
    await at('make-plan').click();
    await at('review-plan').click();
    await at('confirm-act').click();
    await at('check-1').getByText('Not yet').waitFor();
    expect(await at('waits-1').textContent()).toMatch(/1[45]:\d\d left/);
    expect(await at('run-stage').textContent()).toContain('It waits for you');
    await at('tick-1-2').check();
    await at('journal-link').click();
    await at('run-state').waitFor();
    expect(await at('tick-1-2').isChecked(), 'the run’s own page knows it').toBe(true);
    expect(await at('check-1').textContent()).toContain('looked');
    await at('tick-1-1').check();
    await page.goBack();
    expect(await at('tick-1-1').isChecked()).toBe(true);
    await page.evaluate(() => window.ratibaFake?.release());
    await page.locator('[data-testid="run-outcome"][data-outcome="fixed"]').waitFor();
    expect(await at('check-1').textContent()).toContain('Seen');
    expect(await at('tick-1-1').count(), 'there is nothing left to do').toBe(0);
  }));
