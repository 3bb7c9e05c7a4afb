/** Runs whose end is not on record: on top until they are answered, on whichever page one meets them. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunView } from '../../src/lib/host/generated/wire';
import { ACTING } from '../../src/lib/host/fake/acting';
import { triage } from '../../src/lib/host/fake/stack';
import { asked, calls, focused, launch, within, type Opened } from './window';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

const inWindow = within(() => browser);
const RUN = '01KAVX00000000000000000INT';
const REDIS = '#/playbook/01-service-unhealthy?service=redis';

const text = async (window: Opened, testid: string): Promise<string> =>
  ((await window.at(testid).textContent()) ?? '').replace(/\s+/g, ' ').trim();

async function confirm({ at }: Opened): Promise<void> {
  await at('review-plan').click();
  await at('confirm-pane').waitFor();
  await at('confirm-act').click();
}

const setRuns = (page: Page, runs: RunView[]): Promise<void> =>
  page.evaluate((some) => window.ratibaFake?.setRuns(some), runs);

const looked = (page: Page): Promise<void> =>
  page.evaluate(
    (one) => window.ratibaFake?.push({ type: 'triage', triage: one }),
    triage([], { taken_at: new Date(Date.now() + 60_000).toISOString() }),
  );

describe('on the Overview', () => {
  test('it stands above what is wrong, with the step, what is known of it, and three answers', () =>
    inWindow({ scenario: 'interrupted' }, async (window) => {
      await window.at('interrupted-panel').waitFor();
      await window.at('wrong-01-service-unhealthy').waitFor();
      const y = async (testid: string): Promise<number> => (await window.at(testid).boundingBox())?.y ?? -1;
      expect(await y('interrupted-panel')).toBeLessThan(await y('wrong-panel'));
      const said = await text(window, `interrupted-${RUN}`);
      expect(said).toContain('At step 1 of 2: Start redis without its dependencies');
      expect(await text(window, 'whether-happened')).toMatch(
        /^The step happened redis is running as container/,
      );
      for (const answer of ['verify', 'resume', 'undo'])
        expect(await window.at(`answer-${answer}`).isEnabled(), answer).toBe(true);
    }));

  test('it stays when one looks again, and goes once the answer is given', () =>
    inWindow({ scenario: 'interrupted' }, async (window) => {
      await window.at('answer-verify').waitFor();
      await window.at('triage').click();
      await expect
        .poll(() => calls(window.page).then((all) => all.filter((one) => one === 'runs').length))
        .toBeGreaterThan(1);
      expect(await window.at('interrupted-panel').count()).toBe(1);
      await window.at('answer-verify').click();
      await window.at('interrupted-panel').waitFor({ state: 'detached' });
      expect(await asked(window.page, 'verify_run')).toEqual([{ run: RUN }]);
      const all = await calls(window.page);
      for (const act of ['apply', 'undo', 'resume'])
        expect(all, 'nothing is done to the stack').not.toContain(act);
    }));

  test('a step of which nobody knows is neither done again nor taken back, and the buttons say why', () =>
    inWindow({ scenario: 'interrupted-unknown' }, async (window) => {
      await window.at('answer-verify').waitFor();
      expect(await text(window, 'whether-happened')).toMatch(/^It is not known whether the step happened/);
      expect(await window.at('answer-resume').isDisabled()).toBe(true);
      expect(await text(window, 'answer-resume-note')).toBe(
        'It is not known whether step 1 happened, so it is not done a second time.',
      );
      expect(await window.at('answer-undo').isDisabled()).toBe(true);
      expect(await text(window, 'answer-undo-note')).toContain('not known what to take back');
      expect(await window.at('answer-verify').isEnabled()).toBe(true);
    }));

  test('a step that did not happen can be gone on with, and there is nothing to take back', () =>
    inWindow({ scenario: 'interrupted-not-happened' }, async (window) => {
      await window.at('answer-verify').waitFor();
      expect(await text(window, 'whether-happened')).toMatch(/^The step did not happen/);
      expect(await window.at('answer-resume').isEnabled()).toBe(true);
      expect(await text(window, 'answer-undo-note')).toBe('Nothing was done that can be taken back.');
    }));

  test('a step that was done in part says how far, can be gone on with and taken back', () =>
    inWindow({ scenario: 'interrupted-in-part' }, async (window) => {
      await window.at('answer-verify').waitFor();
      expect(await text(window, 'whether-happened')).toMatch(
        /^The step was done in part.*classifier\.py.*prompts\.py/,
      );
      expect(await window.at('answer-resume').isEnabled()).toBe(true);
      expect(await window.at('answer-undo').isEnabled()).toBe(true);
    }));

  test('after the last step it says that the result was not looked at', () =>
    inWindow({ scenario: 'interrupted-at-the-end' }, async (window) => {
      await window.at('answer-verify').waitFor();
      expect(await text(window, `interrupted-${RUN}`)).toContain('After step 2 of 2');
      expect(await text(window, 'whether-happened')).toMatch(/the result was not looked at/);
    }));

  test('one that goes on elsewhere says who, and has no answers', () =>
    inWindow({ scenario: 'interrupted-several' }, async (window) => {
      await window.at('goes-on').waitFor();
      expect(await text(window, 'goes-on')).toContain('Goes on elsewhere amina@ops-2');
      const elsewhere = window.at('interrupted-01KAVX00000000000000000ELS');
      expect(await elsewhere.getByRole('button').count()).toBe(0);
      expect(await window.page.getByText('2 runs were interrupted').count(), 'it is not counted').toBe(1);
    }));

  test('a read-only profile has the panel and no act', () =>
    inWindow({ scenario: 'interrupted', more: 'read_only=1' }, async (window) => {
      await window.at('whether-happened').waitFor();
      expect(await window.at('interrupted-panel').getByRole('button').count()).toBe(0);
    }));

  test('a journal that can not be read is unknown, not silence', () =>
    inWindow({ scenario: 'journal-unreadable' }, async (window) => {
      await window.at('interrupted-unknown').waitFor();
      expect(await text(window, 'interrupted-unknown')).toContain('malformed');
      const before = (await asked(window.page, 'runs')).length;
      await window.at('interrupted-unknown').getByRole('button').click();
      await expect.poll(async () => (await asked(window.page, 'runs')).length).toBeGreaterThan(before);
      expect(await window.at('interrupted-unknown').count()).toBe(1);
    }));

  test('a healthy journal makes no panel, and a run that another console left appears with the next look', () =>
    inWindow({ scenario: 'healthy' }, async (window) => {
      await window.at('wrong-nothing').waitFor();
      expect(await window.at('interrupted-panel').count()).toBe(0);
      await setRuns(window.page, ACTING.interrupted().runs);
      await looked(window.page);
      await window.at('interrupted-panel').waitFor();
    }));

  test('a run of this window that goes on is not taken for one', () =>
    inWindow({ scenario: 'redis-stopped', hash: REDIS, more: 'hold=1' }, async (window) => {
      await window.at('make-plan').click();
      await confirm(window);
      await window.at('run-stage').waitFor();
      await window.at('nav-overview').click();
      await window.at('triage').click();
      await window.at('wrong-panel').waitFor();
      expect(await window.at('interrupted-panel').count()).toBe(0);
    }));
});

describe('the answer', () => {
  test('resume shows what moved and the rest of the steps, and confirms like any plan', () =>
    inWindow({ scenario: 'interrupted' }, async (window) => {
      await window.at('answer-resume').click();
      await window.at('moved').waitFor();
      expect(await text(window, 'moved')).toContain('2 things moved');
      expect(await window.at('moved').getByTestId('change').count()).toBe(2);
      expect(await window.at('plan-step-1').count(), 'a step that was done is not planned again').toBe(0);
      expect(await window.at('plan-step-2').count()).toBe(1);
      await expect.poll(() => focused(window.page)).toBe('review-plan');
      await window.at('review-plan').click();
      await window.at('confirm-pane').waitFor();
      expect(await focused(window.page)).toBe('confirm-cancel');
      expect(await text(window, 'confirm-pane')).toContain('Goes on with:');
      await window.at('confirm-act').click();
      await window.page.locator('[data-testid="run-outcome"][data-outcome="fixed"]').waitFor();
      const [request] = await asked(window.page, 'resume');
      expect(Object.keys(request as object).sort()).toEqual(['digest', 'phrase', 'plan_id']);
      expect(await calls(window.page)).not.toContain('apply');
      await window.at('nav-overview').click();
      await window.at('wrong-panel').waitFor();
      expect(await window.at('interrupted-panel').count(), 'it is answered').toBe(0);
    }));

  test('undo shows its plan, and the interruption is gone once it is done', () =>
    inWindow({ scenario: 'interrupted' }, async (window) => {
      await window.at('answer-undo').click();
      await window.at('leave-undo').waitFor();
      await confirm(window);
      await window.page.locator('[data-testid="run-outcome"][data-undo="true"]').waitFor();
      expect(await asked(window.page, 'undo')).toHaveLength(1);
    }));

  test('leaving the plan does nothing, and the panel is still there', () =>
    inWindow({ scenario: 'interrupted' }, async (window) => {
      await window.at('answer-resume').click();
      await window.at('leave-resume').click();
      await window.at('make-plan').waitFor();
      await window.at('nav-overview').click();
      await window.at('interrupted-panel').waitFor();
      expect(await calls(window.page)).not.toContain('resume');
    }));
});

describe('on the run’s own page', () => {
  test('the same is said, the same can be answered, and r leads to the plan of the rest', () =>
    inWindow({ scenario: 'interrupted', hash: `#/journal/${RUN}` }, async (window) => {
      await window.at('run-interrupted').waitFor();
      expect(await text(window, 'run-state')).toBe('Interrupted');
      expect(await text(window, 'run-interrupted')).toContain('At step 1 of 2');
      await window.page.keyboard.press('r');
      await window.at('moved').waitFor();
    }));

  test('verify closes it there', () =>
    inWindow({ scenario: 'interrupted-unknown', hash: `#/journal/${RUN}` }, async (window) => {
      await window.at('answer-verify').click();
      await window.at('run-interrupted').waitFor({ state: 'detached' });
      expect(await text(window, 'run-state')).toBe('Fixed');
    }));

  test('a run that ended without anybody knowing how is interrupted too', () =>
    inWindow({ scenario: 'in-doubt', hash: `#/journal/${RUN}` }, async (window) => {
      await window.at('answer-verify').waitFor();
      expect(await text(window, 'run-state')).toBe('Interrupted');
    }));

  test('a read-only profile has no act there', () =>
    inWindow({ scenario: 'interrupted', hash: `#/journal/${RUN}`, more: 'read_only=1' }, async (window) => {
      await window.at('run-interrupted').waitFor();
      expect(await window.at('run-interrupted').getByRole('button').count()).toBe(0);
      await window.page.keyboard.press('r');
      expect(await calls(window.page)).not.toContain('resume_plan');
    }));
});

test('a run that loses its answer while one watches is asked about at once, and goes on in the same window', () =>
  inWindow({ scenario: 'ends-in-doubt', hash: REDIS }, async (window) => {
    await window.at('make-plan').click();
    await confirm(window);
    await window.at('answer-resume').waitFor();
    expect(await text(window, 'whether-happened')).toMatch(/^The step happened/);
    await window.at('answer-resume').click();
    await window.at('leave-resume').waitFor();
    await confirm(window);
    await window.page.locator('[data-testid="run-outcome"][data-outcome="fixed"]').waitFor();
    expect(await window.at('answer-resume').count()).toBe(0);
  }));

test('a run that goes on shows its progress, not how it ended the first time', () =>
  inWindow({ scenario: 'ends-in-doubt', hash: REDIS, more: 'hold=2' }, async (window) => {
    await window.at('make-plan').click();
    await confirm(window);
    await window.at('answer-resume').click();
    await window.at('leave-resume').waitFor();
    await confirm(window);
    await window.at('run-stage').waitFor();
    await expect.poll(() => text(window, 'step-state-2')).toMatch(/^Running/);
    expect(await window.at('run-outcome').count()).toBe(0);
  }));

test('an undo can itself be taken back, and nothing says otherwise', () =>
  inWindow({ scenario: 'journal', hash: '#/journal/01KAVX00000000000000000UDO' }, async (window) => {
    expect(await text(window, 'undo-run')).toContain('Undo the undo');
    await window.at('undo-run').click();
    await window.at('review-plan').click();
    await window.at('confirm-pane').waitFor();
    expect(await text(window, 'taken-back')).toContain('this undo can itself be undone');
    expect(await text(window, 'confirm-pane')).not.toContain('make the repair again');
    await window.at('confirm-act').click();
    await window.page.locator('[data-testid="run-outcome"][data-undo="true"]').waitFor();
    await window.at('undo-run').waitFor();
  }));
