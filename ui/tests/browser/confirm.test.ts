/** The confirm pane: what it shows, what confirms and what never does, when the plan no longer fits. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asked, calls, focused, launch, SIZES, tabTo, within, type Opened } from './window';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

const inWindow = within(() => browser);
const REDIS = '#/playbook/01-service-unhealthy?service=redis';
const QUEUE = '#/playbook/e1-worker-wrong-queue';
const SCHEMAS = '#/playbook/12-leftover-test-schemas';
const PHRASE = 'test_tenant_9f31';

async function review({ at }: Opened): Promise<void> {
  await at('make-plan').click();
  await at('review-plan').click();
  await at('confirm-pane').waitFor();
}

const text = async (window: Opened, testid: string): Promise<string> =>
  ((await window.at(testid).textContent()) ?? '').replace(/\s+/g, ' ').trim();

/** Planned and now of each change, as they are read. */
const sides = (page: Page): Promise<string[][]> =>
  page
    .getByTestId('change')
    .evaluateAll((rows) =>
      rows.map((row) =>
        ['th', '[data-side="planned"]', '[data-side="now"]'].map((cell) =>
          ((row.querySelector(cell) as HTMLElement | null)?.innerText ?? '').trim(),
        ),
      ),
    );

describe('the pane shows', () => {
  test('which stack, whole values to select, and what could not be read', () =>
    inWindow({ scenario: 'every-kind', hash: QUEUE }, async (window) => {
      await review(window);
      const pane = window.at('confirm-pane');
      const stack = pane.getByTestId('target-identity');
      for (const value of ['ratiba-lab', '/srv/ratiba-lab', 'JGZ4:ORQ7:2YHB:VVEX', '7441902231870943255']) {
        expect(await stack.getByTitle(value, { exact: true }).textContent()).toContain(value);
      }
      expect(await stack.textContent()).toContain('not known, so not compared');
      expect(await pane.textContent(), 'the environment').toContain('lab');
    }));

  test('who and what is touched, and the backups that are made first', () =>
    inWindow({ scenario: 'every-kind', hash: QUEUE }, async (window) => {
      await review(window);
      expect(await text(window, 'impact-rows')).toBe('1,204 rows will change');
      expect(await text(window, 'impact-services')).toBe('livekit, sip, worker');
      expect(await text(window, 'impact-tenants')).toBe('amani_clinic, baraka_salon');
      expect(await text(window, 'impact-customers')).toContain('54 customers');
      expect(await text(window, 'impact-backups')).toContain('Back up the table');
      expect(await text(window, 'taken-back')).toBe(
        'What steps 2 and 8 change cannot be taken back. What steps 3, 4, 5, 6, 7 and 9 change can.',
      );
    }));

  test('not known, never zero, where it could not be counted', () =>
    inWindow({ scenario: 'redis-stopped', hash: REDIS }, async (window) => {
      await review(window);
      expect(await text(window, 'impact-customers')).toMatch(/^Not known .*could not be asked/);
      expect(await text(window, 'impact-customers')).not.toMatch(/\b0\b|nobody/);
    }));

  test('no count of rows for a schema that is dropped', () =>
    inWindow({ scenario: 'row12', hash: SCHEMAS }, async (window) => {
      await review(window);
      expect(await text(window, 'impact-rows')).toBe('can’t be counted: see step 2');
      expect(await text(window, 'impact-customers')).toContain('What step 2 changes may be anybody’s');
    }));

  test('each step verbatim, before and after, its kind, and its way back', () =>
    inWindow({ scenario: 'every-kind', hash: QUEUE }, async (window) => {
      await review(window);
      const step = (n: number) => window.at(`confirm-step-${n}`);
      const kinds = await window
        .at('confirm-pane')
        .locator('[data-kind]:not(.env)')
        .evaluateAll((marks) => marks.map((mark) => mark.textContent?.trim()));
      expect(new Set(kinds).size, 'a word for each kind').toBe(11);
      expect(await window.at('confirm-pane').locator('[data-kind="other"]').count()).toBe(0);
      expect(await step(3).innerText()).toContain('HSET ratiba:fsm:01J9ZK state GREET');
      expect(await step(3).textContent()).toMatch(/Before:\s*COLLECT_SLOT\s*→\s*After:\s*GREET/);
      expect(await step(3).innerText()).toContain('Undo: put back the value before');
      expect(await step(2).innerText()).toContain('Destructive. Cannot be taken back');
      expect(await step(10).innerText(), 'a step that only looks').not.toContain('taken back');
    }));

  test('the first lines of a long step always, and the rest on request', () =>
    inWindow({ scenario: 'every-kind', hash: QUEUE }, async (window) => {
      await review(window);
      const step = window.at('confirm-step-5');
      expect(await step.innerText()).toContain('+++ b/backend/app/settings.py');
      expect(await step.innerText()).not.toContain('log_format');
      await step.getByRole('button', { name: /more lines/ }).click();
      expect(await step.innerText()).toContain('log_format');
    }));

  test.each(['small', 'large'] as const)('both buttons, whole and in sight: %s', (size) =>
    inWindow({ scenario: 'every-kind', hash: QUEUE, size, more: 'kind=pilot' }, async (window) => {
      await review(window);
      const act = window.at('confirm-act');
      expect(await text(window, 'confirm-act')).toBe('Delete 1,204 expired payments of amani_clinic');
      for (const testid of [
        'confirm-cancel',
        'confirm-act',
        'confirm-phrase',
        'confirm-pilot',
        'confirm-why',
      ]) {
        const box = await window.at(testid).boundingBox();
        expect((box?.y ?? 9999) + (box?.height ?? 0), testid).toBeLessThanOrEqual(SIZES[size].height);
      }
      const cut = await act.evaluate((button) => button.querySelector('.name')?.scrollWidth ?? 0);
      expect(cut, 'the act is named whole').toBeLessThanOrEqual((await act.boundingBox())?.width ?? 0);
      const what = window.at('confirm-pane').getByRole('group', { name: 'What will happen' });
      expect((await what.boundingBox())?.height, 'room to read').toBeGreaterThan(200);
    }),
  );
});

describe('what is lost for good', () => {
  const typed = async (window: Opened): Promise<void> => {
    await review(window);
    expect(await focused(window.page), 'the focus is on Cancel').toBe('confirm-cancel');
    expect(await text(window, 'confirm-why')).toMatch(/^Type the name first\. Good for/);
    await window.at('confirm-phrase').fill(PHRASE);
    await expect.poll(() => window.at('confirm-act').isEnabled()).toBe(true);
  };
  const notConfirmed = async ({ page, at }: Opened): Promise<void> => {
    expect(await at('confirm-pane').count()).toBe(1);
    expect(await calls(page)).not.toContain('apply');
  };

  test('is not confirmed by Enter in the field', () =>
    inWindow({ scenario: 'row12', hash: SCHEMAS }, async (window) => {
      await typed(window);
      await window.page.keyboard.press('Enter');
      await notConfirmed(window);
    }));

  test('nor by Enter anywhere else in the pane', () =>
    inWindow({ scenario: 'row12', hash: SCHEMAS }, async (window) => {
      await typed(window);
      await window.page.getByRole('group', { name: 'What will happen' }).focus();
      await window.page.keyboard.press('Enter');
      await window.page.evaluate(() => (document.activeElement as HTMLElement).blur());
      await window.page.keyboard.press('Enter');
      await notConfirmed(window);
    }));

  test('nor by Enter on the button itself, which says so; Space on it does', () =>
    inWindow({ scenario: 'row12', hash: SCHEMAS }, async (window) => {
      await typed(window);
      await tabTo(window.page, 'confirm-act');
      await window.page.keyboard.press('Enter');
      await window.page.keyboard.press('Enter');
      await notConfirmed(window);
      expect(await text(window, 'confirm-pane')).toContain('Enter does not confirm this.');
      await window.page.keyboard.press('Space');
      await window.at('run-outcome').waitFor();
      expect(await asked(window.page, 'apply')).toMatchObject([{ phrase: PHRASE }]);
    }));

  test('is not confirmed by Enter on the Cancel button either: it closes', () =>
    inWindow({ scenario: 'row12', hash: SCHEMAS }, async (window) => {
      await typed(window);
      await window.at('confirm-cancel').focus();
      await window.page.keyboard.press('Enter');
      await window.at('confirm-pane').waitFor({ state: 'detached' });
      expect(await calls(window.page)).not.toContain('apply');
    }));
});

describe('a plan that has expired', () => {
  test('can not be confirmed, says why, and a new one is one click away', () =>
    inWindow({ scenario: 'redis-stopped', hash: REDIS, more: 'good_for=3' }, async (window) => {
      await review(window);
      const pane = window.at('confirm-pane');
      await pane.getByTestId('renew-plan').waitFor();
      expect(await window.at('confirm-act').isDisabled()).toBe(true);
      expect(await text(window, 'confirm-why')).toBe('The plan has expired, so it can’t be confirmed.');
      await pane.getByTestId('renew-plan').click();
      await pane.waitFor({ state: 'detached' });
      expect(await asked(window.page, 'plan')).toHaveLength(2);
      await expect.poll(() => focused(window.page)).toBe('review-plan');
      expect(await text(window, 'plan-expiry')).toContain('Good for');
      expect(await calls(window.page)).not.toContain('apply');
    }));
});

describe('a plan that is refused', () => {
  test('shows what changed, planned beside now, and is not to be confirmed again', () =>
    inWindow({ scenario: 'refused-confirm', hash: REDIS }, async (window) => {
      await review(window);
      await window.at('confirm-act').click();
      await window.at('changes').waitFor();
      const [container, state, rows, , gone] = await sides(window.page);
      expect(container).toEqual([
        'redis container',
        expect.stringMatching(/4b0d99e1c2aa$/),
        expect.stringMatching(/9f2c41ab77d0$/),
      ]);
      expect(state?.[1]).toMatch(/exited$/);
      expect(state?.[2]).toMatch(/running$/);
      expect(rows?.[1]).toMatch(/no rows$/);
      expect(rows?.[2]).toContain('day_of_week: 1');
      expect(gone?.[2]).toBe('not there');
      expect(await window.at('confirm-act').isDisabled()).toBe(true);
      expect(await text(window, 'confirm-why')).toBe('This plan was refused.');
      expect(await text(window, 'confirm-error')).toContain('Nothing was done');
    }));

  test('leads to a new one for the same subject with the same parameters, which then runs', () =>
    inWindow(
      { scenario: 'refused-params', hash: '#/playbook/05-fsm-stuck-collect-slot?tenant=zuri_spa' },
      async (window) => {
        await window.at('param-staff').selectOption('91bb');
        await window.at('param-days-5').check();
        await review(window);
        await window.at('confirm-act').click();
        await window.at('changes').waitFor();
        await window.at('confirm-pane').getByTestId('renew-plan').click();
        await window.at('confirm-pane').waitFor({ state: 'detached' });
        const [first, second] = await asked(window.page, 'plan');
        expect(second).toEqual(first);
        expect(second).toMatchObject({ subject: { tenant: 'zuri_spa' }, params: { staff: '91bb' } });
        await expect.poll(() => focused(window.page)).toBe('review-plan');
        await window.at('review-plan').click();
        await window.at('confirm-act').click();
        await window.page.locator('[data-testid="run-outcome"][data-outcome="fixed"]').waitFor();
      },
    ));

  test('as its run begins: the same table, no journal entry to look for, and n makes the new plan', () =>
    inWindow({ scenario: 'refused-run', hash: REDIS }, async (window) => {
      await review(window);
      await window.at('confirm-act').click();
      await window.page.locator('[data-testid="run-outcome"][data-outcome="refused"]').waitFor();
      expect(await sides(window.page)).toHaveLength(2);
      await window.at('journal-link').waitFor({ state: 'detached' });
      expect(await window.page.getByText('There is no run').count()).toBe(0);
      await window.page.keyboard.press('n');
      await window.at('review-plan').waitFor();
      expect(await window.at('run-outcome').count()).toBe(0);
      expect(await asked(window.page, 'plan')).toHaveLength(2);
    }));

  test('at a later step: it failed there, what changed stays readable, what was done can be undone', () =>
    inWindow({ scenario: 'changed-later', hash: REDIS }, async (window) => {
      await review(window);
      await window.at('confirm-act').click();
      await window.page.locator('[data-testid="run-outcome"][data-outcome="failed"]').waitFor();
      await window.at('undo-run').waitFor();
      expect(await sides(window.page), 'after the journal was read too').toHaveLength(3);
      expect(await text(window, 'confirm-error')).not.toContain('Nothing was done');
      await window.at('renew-plan').click();
      await window.at('review-plan').waitFor();
    }));
});

describe('while a run goes on', () => {
  test('it is there before its first event: nothing is offered a second time, and it has the focus', () =>
    inWindow(
      { scenario: 'redis-stopped', hash: REDIS, size: 'small', more: 'pace=100000' },
      async (window) => {
        await review(window);
        await window.at('confirm-act').click();
        await window.at('run-stage').waitFor();
        expect(await window.at('make-plan').count()).toBe(0);
        await expect.poll(() => focused(window.page)).toBe('run-heading');
      },
    ));

  test('its verdict is in sight when it comes, also in a small window', () =>
    inWindow({ scenario: 'refused-run', hash: REDIS, size: 'small' }, async (window) => {
      await review(window);
      await window.at('confirm-act').click();
      await window.at('changes').waitFor();
      const y = (await window.at('run-outcome').boundingBox())?.y ?? -1;
      expect(y).toBeGreaterThan(0);
      expect(y).toBeLessThan(SIZES.small.height / 2);
    }));

  const hold = async (window: Opened, n: number): Promise<void> => {
    await review(window);
    await window.at('confirm-phrase').fill(PHRASE);
    await window.at('confirm-act').click();
    await window.page.getByText(`Stage ${n} of 4`).waitFor();
  };

  test('a backup says that it only keeps a copy, and what stopping does to it', () =>
    inWindow({ scenario: 'row12', hash: SCHEMAS, more: 'hold=1' }, async (window) => {
      await hold(window, 1);
      expect(await text(window, 'run-does')).toContain('keeps a copy first');
      expect(await text(window, 'stop-means')).toContain('The backup is ended where it runs');
    }));

  test('a step that loses something says so, and what stopping does to a database change', () =>
    inWindow({ scenario: 'row12', hash: SCHEMAS, more: 'hold=2' }, async (window) => {
      await hold(window, 2);
      expect(await text(window, 'run-does')).toContain('loses something for good');
      expect(await text(window, 'plan-step-2')).toContain('Destructive');
      expect(await text(window, 'stop-means')).toMatch(
        /^Stop: A database change is rolled back, or it was already/,
      );
      await window.at('run-cancel').click();
      await expect.poll(() => text(window, 'stop-means')).toMatch(/^Stopping\. /);
    }));

  test('a command is ended where it runs', () =>
    inWindow({ scenario: 'redis-stopped', hash: REDIS, more: 'hold=1' }, async (window) => {
      await review(window);
      await window.at('confirm-act').click();
      await window.page.getByText('Stage 1 of 3').waitFor();
      expect(await text(window, 'stop-means')).toContain('A command is ended where it runs');
    }));
});
