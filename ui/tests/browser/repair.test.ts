/** The way through a repair as the operator goes it: by keyboard alone, and what must never happen on the way. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { triage, verdict } from '../../src/lib/host/fake/stack';
import { calls, focused, launch, tabTo, within, type Opened } from './window';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

const REDIS = '#/playbook/01-service-unhealthy?service=redis';

const inWindow = within(() => browser);

async function fixed(window: Opened): Promise<void> {
  await window.page.locator('[data-testid="run-outcome"][data-outcome="fixed"]').waitFor();
}

test('the whole repair and its undo, with the keyboard only', () =>
  inWindow({ scenario: 'redis-stopped' }, async ({ page, at, ...window }) => {
    await at('wrong-01-service-unhealthy').waitFor();
    await page.keyboard.press('j');
    expect(await focused(page), 'j goes to the first finding').toBe('open-01-service-unhealthy');
    await page.keyboard.press('Enter');
    await at('evidence-for').waitFor();
    await page.keyboard.press('p');
    await at('plan-step-2').waitFor();
    await expect
      .poll(() => focused(page), { message: 'the focus waits on the next act' })
      .toBe('review-plan');
    await page.keyboard.press('Enter');
    await at('confirm-pane').waitFor();
    expect(await focused(page), 'the focus is on Cancel').toBe('confirm-cancel');
    expect(await at('confirm-act').textContent(), 'the button names the act').toContain('Start redis');
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('confirm-act');
    await page.keyboard.press('Enter');
    await fixed({ page, at, ...window });
    expect(await at('tile-redis').count(), 'still on the playbook’s page').toBe(0);

    await at('undo-run').waitFor();
    await page.keyboard.press('u');
    await at('leave-undo').waitFor();
    await expect.poll(() => focused(page)).toBe('review-plan');
    await page.keyboard.press('c');
    await at('confirm-pane').waitFor();
    expect(await focused(page)).toBe('confirm-cancel');
    expect(await at('confirm-act').textContent()).toContain('Stop redis again');
    await tabTo(page, 'confirm-act');
    await page.keyboard.press('Enter');
    await page.getByText('Taken back', { exact: true }).first().waitFor();

    await page.keyboard.press('g');
    await page.keyboard.press('j');
    await at('journal').waitFor();
    expect(await page.locator('[data-testid^="journal-run-"]').first().textContent()).toContain(
      'Take back: ',
    );
  }));

describe('nothing is confirmed by accident', () => {
  test('Enter in a pane that has just opened cancels', () =>
    inWindow({ scenario: 'redis-stopped', hash: REDIS }, async ({ page, at }) => {
      await at('make-plan').click();
      await at('review-plan').click();
      await at('confirm-pane').waitFor();
      await page.keyboard.press('Enter');
      await at('confirm-pane').waitFor({ state: 'detached' });
      expect(await calls(page)).not.toContain('apply');
    }));

  test('Escape closes the pane and gives the focus back', () =>
    inWindow({ scenario: 'redis-stopped', hash: REDIS }, async ({ page, at }) => {
      await at('make-plan').click();
      await at('review-plan').click();
      await at('confirm-pane').waitFor();
      await page.keyboard.press('Escape');
      await at('confirm-pane').waitFor({ state: 'detached' });
      await expect.poll(() => focused(page)).toBe('review-plan');
      expect(await calls(page)).not.toContain('apply');
    }));

  test('a destructive plan wants the name, exactly; Enter in the field does nothing', () =>
    inWindow({ scenario: 'row12', hash: '#/playbook/12-leftover-test-schemas' }, async ({ page, at }) => {
      await at('make-plan').click();
      await at('review-plan').click();
      await at('confirm-phrase').waitFor();
      for (const typed of ['test_tenant_9f3', 'TEST_TENANT_9F31', 'test_tenant_9f31 ']) {
        await at('confirm-phrase').fill(typed);
        await page.keyboard.press('Enter');
        expect(await at('confirm-act').isDisabled(), typed).toBe(true);
      }
      await at('confirm-phrase').fill('test_tenant_9f31');
      await page.keyboard.press('Enter');
      expect(await calls(page)).not.toContain('apply');
      await at('confirm-act').click();
      await page.locator('[data-testid="run-outcome"]').waitFor();
      const applied = await page.evaluate(
        () => window.ratibaFake?.calls.find((call) => call.name === 'apply')?.request,
      );
      expect(applied).toMatchObject({ phrase: 'test_tenant_9f31' });
      expect(Object.keys(applied as object).sort(), 'ids and what was typed, nothing else').toEqual([
        'digest',
        'phrase',
        'plan_id',
      ]);
    }));

  test('on the pilot one says first that one means it', () =>
    inWindow({ scenario: 'redis-stopped', hash: REDIS, more: 'kind=pilot' }, async ({ at }) => {
      await at('make-plan').click();
      await at('review-plan').click();
      expect(await at('confirm-act').isDisabled()).toBe(true);
      await at('confirm-pilot').check();
      expect(await at('confirm-act').isDisabled()).toBe(false);
    }));

  test('a read-only profile has no act at all', () =>
    inWindow({ scenario: 'redis-stopped', hash: REDIS, more: 'read_only=1' }, async ({ page, at }) => {
      await at('make-plan').click();
      await at('plan-step-1').waitFor();
      expect(await at('review-plan').count()).toBe(0);
      await page.keyboard.press('c');
      expect(await at('confirm-pane').count()).toBe(0);
      expect(await at('copy-commands').count(), 'the commands can be taken away').toBe(1);
    }));

  test('changing a parameter throws the plan away', () =>
    inWindow({ scenario: 'row5', hash: '#/playbook/05-fsm-stuck-collect-slot' }, async ({ at }) => {
      await at('param-staff').selectOption('6c1e');
      await at('make-plan').click();
      await at('review-plan').click();
      await at('confirm-pane').waitFor();
      await at('param-from').fill('10:00');
      await at('confirm-pane').waitFor({ state: 'detached' });
      expect(await at('plan').count()).toBe(0);
    }));

  test('a plan that the core refuses is not started, and says why', () =>
    inWindow({ scenario: 'redis-stopped', hash: REDIS }, async ({ page, at }) => {
      await at('make-plan').click();
      await at('review-plan').click();
      await page.evaluate(() => window.ratibaFake?.expirePlan());
      await at('confirm-act').click();
      await at('confirm-error').waitFor();
      expect(await at('confirm-error').textContent()).toContain('expired');
      expect(await at('run-outcome').count()).toBe(0);
    }));
});

test('a finding that has gone is not replaced by somebody else’s', () =>
  inWindow({ scenario: 'redis-stopped', hash: REDIS }, async ({ page, at }) => {
    await at('evidence-for').waitFor();
    const backend = triage(
      [verdict('01-service-unhealthy', 'present', { subject: { service: 'backend' } })],
      {
        taken_at: new Date(Date.now() + 60_000).toISOString(),
      },
    );
    await page.evaluate((one) => window.ratibaFake?.push({ type: 'triage', triage: one }), backend);
    await page.getByText('No longer seen', { exact: true }).waitFor();
    expect(await at('make-plan').isDisabled()).toBe(true);
    await at('subject-service=backend').click();
    await expect.poll(() => at('make-plan').isDisabled()).toBe(false);
  }));

describe('a form', () => {
  test('names its mistakes, takes the focus there and sends nothing', () =>
    inWindow({ scenario: 'row5', hash: '#/playbook/05-fsm-stuck-collect-slot' }, async ({ page, at }) => {
      await at('make-plan').click();
      await page.getByText('Staff member is needed.').waitFor();
      await expect.poll(() => focused(page)).toBe('param-staff');
      expect(await calls(page)).not.toContain('plan');
    }));

  test('sends typed values and the chosen subject', () =>
    inWindow(
      { scenario: 'row5', hash: '#/playbook/05-fsm-stuck-collect-slot?tenant=zuri_spa' },
      async ({ page, at }) => {
        await at('param-staff').selectOption('6c1e');
        await at('param-days-5').check();
        await at('make-plan').click();
        await at('plan-step-1').waitFor();
        const request = await page.evaluate(
          () => window.ratibaFake?.calls.find((call) => call.name === 'plan')?.request,
        );
        expect(request).toEqual({
          id: '05-fsm-stuck-collect-slot',
          subject: { tenant: 'zuri_spa' },
          params: {
            staff: '6c1e',
            days: ['0', '1', '2', '3', '4', '5'],
            from: '09:00',
            to: '17:00',
            weeks: 2,
            nudge: false,
          },
        });
      },
    ));
});

describe('a run', () => {
  test('streams its output, counts its stages, and can be stopped', () =>
    inWindow({ scenario: 'redis-stopped', hash: REDIS, more: 'pace=120' }, async ({ page, at }) => {
      await at('make-plan').click();
      await at('review-plan').click();
      await at('confirm-act').click();
      await page.getByText('Stage 1 of 3').waitFor();
      await page.getByRole('log', { name: 'Output of step 1' }).waitFor();
      await at('run-cancel').click();
      await page.locator('[data-testid="run-outcome"][data-outcome="cancelled"]').waitFor();
      await at('undo-run').waitFor();
    }));

  test('that failed shows at which step, and the rest as not begun', () =>
    inWindow({ scenario: 'failed', hash: REDIS }, async ({ page, at }) => {
      await at('make-plan').click();
      await at('review-plan').click();
      await at('confirm-act').click();
      await page.locator('[data-testid="run-outcome"][data-outcome="failed"]').waitFor();
      expect(await at('plan-step-1').getAttribute('data-state')).toBe('failed');
      expect(await at('plan-step-2').getAttribute('data-state')).toBe('pending');
      expect(await at('run-outcome').textContent()).toContain('port is already allocated');
    }));

  test('goes on while one looks elsewhere', () =>
    inWindow({ scenario: 'redis-stopped', hash: REDIS, more: 'pace=60' }, async (window) => {
      await window.at('make-plan').click();
      await window.at('review-plan').click();
      await window.at('confirm-act').click();
      await window.at('run-stage').waitFor();
      await window.at('nav-overview').click();
      await window.page.locator('[data-testid="tile-redis"][data-mark="ok"]').waitFor();
      await window.at('wrong-nothing').waitFor();
      await window.page.goBack();
      await fixed(window);
    }));

  test('that can be taken back only in part says what stays, before and after', () =>
    inWindow({ scenario: 'every-kind', hash: '#/playbook/e1-worker-wrong-queue' }, async (window) => {
      await window.at('make-plan').click();
      await window.at('review-plan').click();
      await window.at('confirm-phrase').fill('amani_clinic payments');
      await window.at('confirm-act').click();
      await window.at('undo-run').click();
      const stays = window.at('plan').getByTestId('stays');
      expect(await stays.textContent()).toContain('Forget the cached catalogue');
    }));

  test('of the journal can be taken back from there', () =>
    inWindow({ scenario: 'healthy', hash: '#/journal' }, async (window) => {
      await window.at('journal-run-01KAVX7M3Q0000000000000001').getByRole('link').click();
      await window.at('undo-run').click();
      await window.at('review-plan').click();
      await window.at('confirm-act').click();
      await fixed(window);
    }));
});
