/** Every view in every state, in both themes and both sizes: accessible, not too wide, nothing complained. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  expectAccessible,
  expectNoSidewaysScroll,
  expectNotBlank,
  launch,
  open,
  picture,
  SIZES,
  type Opened,
  type Size,
  type Theme,
} from './window';

interface Shot {
  name: string;
  scenario: string;
  hash?: string;
  more?: string;
  /** What must be on screen before the picture is taken; may act to get there. */
  arrive: (window: Opened) => Promise<void>;
}

const REDIS = '#/playbook/01-service-unhealthy?service=redis';
const QUEUE = '#/playbook/e1-worker-wrong-queue';
const CAPTURED = 'kind=pilot&captured=2026-11-20T17:28:13Z';
const seen = (testid: string) => (window: Opened) => window.at(testid).waitFor();

const SHOTS: Shot[] = [
  { name: 'overview-healthy', scenario: 'healthy', arrive: seen('wrong-nothing') },
  { name: 'overview-redis-stopped', scenario: 'redis-stopped', arrive: seen('wrong-01-service-unhealthy') },
  { name: 'overview-row5', scenario: 'row5', arrive: seen('wrong-05-fsm-stuck-collect-slot') },
  { name: 'overview-partial-unknown', scenario: 'partial-unknown', arrive: seen('wrong-unknown') },
  { name: 'overview-stale', scenario: 'stale', arrive: seen('wrong-unknown') },
  {
    name: 'overview-empty',
    scenario: 'empty',
    arrive: (window) => window.page.getByText('This project has no services').waitFor(),
  },
  {
    name: 'overview-loading',
    scenario: 'loading',
    arrive: (window) => window.page.getByText('Reading the stack').waitFor({ state: 'attached' }),
  },
  { name: 'overview-disconnected', scenario: 'disconnected', arrive: seen('link-lost') },
  { name: 'overview-running', scenario: 'running', arrive: seen('tile-redis') },
  { name: 'overview-many', scenario: 'many', arrive: seen('tenant-filter') },
  { name: 'overview-hostile', scenario: 'hostile', arrive: seen('wrong-01-service-unhealthy') },
  {
    name: 'overview-pilot',
    scenario: 'redis-stopped',
    more: 'kind=pilot&read_only=1',
    arrive: seen('read-only'),
  },
  {
    name: 'runbook',
    scenario: 'redis-stopped',
    hash: '#/runbook',
    arrive: seen('verdict-01-service-unhealthy'),
  },
  {
    name: 'failure-mode',
    scenario: 'healthy',
    hash: '#/runbook/new',
    arrive: async ({ at }) => {
      for (const name of ['title', 'symptom', 'diagnosis', 'fix']) await at(`new-${name}`).fill(`A ${name}`);
      await at('new-show').click();
      await at('new-files').waitFor();
    },
  },
  { name: 'runbook-loading', scenario: 'loading', hash: '#/runbook', arrive: loading },
  {
    name: 'runbook-not-remembered',
    scenario: 'not-remembered',
    hash: '#/runbook',
    arrive: seen('not-remembered'),
  },
  {
    name: 'runbook-extras',
    scenario: 'redis-stopped',
    hash: '#/runbook',
    arrive: (window) => window.at('verdict-e5-tunnel-stale').scrollIntoViewIfNeeded(),
  },
  {
    name: 'runbook-empty',
    scenario: 'empty',
    hash: '#/runbook',
    arrive: (window) => window.page.getByText('There is no playbook').waitFor(),
  },
  { name: 'playbook-finding', scenario: 'redis-stopped', hash: REDIS, arrive: seen('evidence-against') },
  {
    name: 'playbook-shown',
    scenario: 'redis-stopped',
    hash: REDIS,
    arrive: async (window) => {
      for (const line of await window.at('show-me').all()) await line.click();
      await window.at('shown').last().scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'playbook-shown-rows',
    scenario: 'row5',
    hash: '#/playbook/05-fsm-stuck-collect-slot',
    arrive: async (window) => {
      for (const line of await window.at('show-me').all()) await line.click();
      await window.at('shown').last().waitFor();
    },
  },
  {
    name: 'playbook-shown-hostile',
    scenario: 'hostile',
    hash: REDIS,
    arrive: async (window) => {
      await window.at('show-me').click();
      await window.at('shown').waitFor();
    },
  },
  {
    name: 'playbook-drills',
    scenario: 'healthy',
    hash: '#/playbook/03-livekit-sip-down',
    arrive: async (window) => {
      await window.at('drills').locator('summary').click();
      await window.at('drill-calls').scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'playbook-long-lists',
    scenario: 'long-lists',
    hash: '#/playbook/05-fsm-stuck-collect-slot',
    arrive: async (window) => {
      await window.at('param-staff-search').fill('kamau 1');
      await window.at('param-lead-p1').check();
      await window.at('param-tunnel-none').scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'manual-plan',
    scenario: 'port-clash',
    hash: REDIS,
    arrive: async (window) => {
      await plan(window);
      await window.at('check-1').scrollIntoViewIfNeeded();
      await window.at('check-1').getByText('Not yet').waitFor();
    },
  },
  { name: 'manual-confirm', scenario: 'port-clash', hash: REDIS, arrive: review },
  {
    name: 'manual-run',
    scenario: 'port-clash',
    hash: REDIS,
    more: 'hold=1',
    arrive: async (window) => {
      await review(window);
      await window.at('confirm-act').click();
      await window.at('tick-1-1').check();
      await window.at('waits-1').getByText('left').waitFor();
    },
  },
  {
    name: 'playbook-absent',
    scenario: 'healthy',
    hash: '#/playbook/09-tts-latency',
    arrive: seen('verdict'),
  },
  {
    name: 'playbook-unknown',
    scenario: 'partial-unknown',
    hash: '#/playbook/13-alembic-heads',
    arrive: seen('verdict'),
  },
  {
    name: 'playbook-params',
    scenario: 'row5',
    hash: '#/playbook/05-fsm-stuck-collect-slot',
    arrive: seen('param-days'),
  },
  {
    name: 'playbook-params-wrong',
    scenario: 'row5',
    hash: '#/playbook/05-fsm-stuck-collect-slot',
    arrive: async (window) => {
      await window.at('param-from').fill('9 o’clock');
      await window.at('make-plan').click();
      await window.page.getByText('A time of day as HH:MM').waitFor();
    },
  },
  { name: 'plan', scenario: 'redis-stopped', hash: REDIS, arrive: plan },
  {
    name: 'plan-sql',
    scenario: 'row5',
    hash: '#/playbook/05-fsm-stuck-collect-slot',
    arrive: async (window) => {
      await window.at('param-staff').selectOption({ label: 'Wanjiku Kamau' });
      await plan(window);
      await window.at('plan').scrollIntoViewIfNeeded();
    },
  },
  { name: 'plan-read-only', scenario: 'redis-stopped', hash: REDIS, more: 'read_only=1', arrive: plan },
  { name: 'plan-hostile', scenario: 'hostile', hash: REDIS, arrive: plan },
  { name: 'confirm', scenario: 'redis-stopped', hash: REDIS, arrive: review },
  { name: 'confirm-pilot', scenario: 'redis-stopped', hash: REDIS, more: 'kind=pilot', arrive: review },
  {
    name: 'confirm-destructive',
    scenario: 'row12',
    hash: '#/playbook/12-leftover-test-schemas',
    arrive: review,
  },
  {
    name: 'run-going-on',
    scenario: 'redis-stopped',
    hash: REDIS,
    more: 'pace=100000',
    arrive: async (window) => {
      await review(window);
      await window.at('confirm-act').click();
      await window.at('run-stage').waitFor();
    },
  },
  { name: 'run-fixed', scenario: 'redis-stopped', hash: REDIS, arrive: (window) => act(window, 'fixed') },
  { name: 'run-failed', scenario: 'failed', hash: REDIS, arrive: (window) => act(window, 'failed') },
  { name: 'run-not-fixed', scenario: 'not-fixed', hash: REDIS, arrive: (window) => act(window, 'not_fixed') },
  {
    name: 'undo-plan',
    scenario: 'redis-stopped',
    hash: REDIS,
    arrive: async (window) => {
      await act(window, 'fixed');
      await window.at('undo-run').click();
      await window.at('leave-undo').waitFor();
    },
  },
  {
    name: 'undo-plan-in-part',
    scenario: 'every-kind',
    hash: QUEUE,
    arrive: async (window) => {
      await review(window);
      await window.at('confirm-phrase').fill('amani_clinic payments');
      await window.at('confirm-act').click();
      await window.at('undo-run').click();
      await window.at('leave-undo').waitFor();
    },
  },
  {
    name: 'journal',
    scenario: 'journal',
    hash: '#/journal',
    arrive: seen('journal-run-01KAVX00000000000000000INT'),
  },
  {
    name: 'journal-empty',
    scenario: 'empty',
    hash: '#/journal',
    arrive: (window) => window.page.getByText('Nothing has been repaired').waitFor(),
  },
  {
    name: 'journal-run',
    scenario: 'journal',
    hash: '#/journal/01KAVX00000000000000000NOT',
    arrive: seen('run-state'),
  },
  {
    name: 'journal-interrupted',
    scenario: 'journal',
    hash: '#/journal/01KAVX00000000000000000INT',
    arrive: seen('run-state'),
  },
  { name: 'overview-interrupted', scenario: 'interrupted', arrive: seen('answer-verify') },
  { name: 'overview-interrupted-unknown', scenario: 'interrupted-unknown', arrive: seen('answer-verify') },
  {
    name: 'overview-interrupted-not-happened',
    scenario: 'interrupted-not-happened',
    arrive: seen('answer-verify'),
  },
  {
    name: 'overview-interrupted-at-the-end',
    scenario: 'interrupted-at-the-end',
    arrive: seen('answer-verify'),
  },
  { name: 'overview-interrupted-several', scenario: 'interrupted-several', arrive: seen('goes-on') },
  {
    name: 'overview-interrupted-read-only',
    scenario: 'interrupted',
    more: 'read_only=1',
    arrive: seen('whether-happened'),
  },
  {
    name: 'overview-journal-unreadable',
    scenario: 'journal-unreadable',
    arrive: seen('interrupted-unknown'),
  },
  {
    name: 'run-page-interrupted',
    scenario: 'interrupted',
    hash: '#/journal/01KAVX00000000000000000INT',
    arrive: seen('answer-resume'),
  },
  {
    name: 'run-page-in-doubt',
    scenario: 'in-doubt',
    hash: '#/journal/01KAVX00000000000000000INT',
    arrive: seen('answer-resume'),
  },
  { name: 'resume-plan', scenario: 'interrupted', arrive: resume },
  {
    name: 'resume-confirm',
    scenario: 'interrupted',
    arrive: async (window) => {
      await resume(window);
      await window.at('review-plan').click();
      await window.at('confirm-pane').waitFor();
    },
  },
  { name: 'plan-every-kind', scenario: 'every-kind', hash: QUEUE, arrive: plan },
  { name: 'confirm-every-kind', scenario: 'every-kind', hash: QUEUE, arrive: review },
  {
    name: 'confirm-every-kind-pilot',
    scenario: 'every-kind',
    hash: QUEUE,
    more: 'kind=pilot',
    arrive: async (window) => {
      await review(window);
      await window.at('confirm-phrase').fill('amani_clinic payments');
      await window.at('confirm-pilot').check();
    },
  },
  {
    name: 'confirm-every-kind-end',
    scenario: 'every-kind',
    hash: QUEUE,
    arrive: async (window) => {
      await review(window);
      await window.at('target-identity').last().scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'confirm-expired',
    scenario: 'redis-stopped',
    hash: REDIS,
    more: 'good_for=3',
    arrive: async (window) => {
      await review(window);
      await window.at('confirm-pane').getByTestId('renew-plan').waitFor();
    },
  },
  {
    name: 'confirm-refused',
    scenario: 'refused-confirm',
    hash: REDIS,
    arrive: async (window) => {
      await review(window);
      await window.at('confirm-act').click();
      await window.at('changes').waitFor();
    },
  },
  {
    name: 'confirm-refused-hostile',
    scenario: 'hostile',
    hash: REDIS,
    arrive: async (window) => {
      await review(window);
      await window.at('confirm-act').click();
      await window.at('changes').waitFor();
    },
  },
  {
    name: 'run-refused',
    scenario: 'refused-run',
    hash: REDIS,
    arrive: async (window) => {
      await review(window);
      await window.at('confirm-act').click();
      await window.at('changes').waitFor();
    },
  },
  {
    name: 'run-changed-later',
    scenario: 'changed-later',
    hash: REDIS,
    arrive: (window) => act(window, 'failed'),
  },
  {
    name: 'run-backup',
    scenario: 'row12',
    hash: '#/playbook/12-leftover-test-schemas',
    more: 'hold=1',
    arrive: (window) => holdAt(window, 1),
  },
  {
    name: 'run-destructive',
    scenario: 'row12',
    hash: '#/playbook/12-leftover-test-schemas',
    more: 'hold=2',
    arrive: (window) => holdAt(window, 2),
  },
  {
    name: 'undo-undone-plan',
    scenario: 'journal',
    hash: '#/journal/01KAVX00000000000000000UDO',
    arrive: async (window) => {
      await window.at('undo-run').click();
      await window.at('leave-undo').waitFor();
    },
  },
  {
    name: 'untrusted',
    scenario: 'untrusted',
    hash: '#/playbook/e5-tunnel-stale',
    arrive: seen('trust-notice'),
  },
  {
    name: 'untrusted-runbook',
    scenario: 'untrusted',
    hash: '#/runbook',
    arrive: async (window) => {
      await window.at('verdict-e5-tunnel-stale').scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'secret',
    scenario: 'secret',
    hash: '#/playbook/02-whatsapp-signature-403',
    arrive: seen('param-app_secret'),
  },
  {
    name: 'secret-wrong',
    scenario: 'secret',
    hash: '#/playbook/02-whatsapp-signature-403',
    arrive: async (window) => {
      await window.at('param-app_secret').fill('9f86d081884c7d659a2feaa0c55ad015');
      await window.at('make-plan').click();
      await window.page.getByText('Never the secret itself').waitFor();
    },
  },
  { name: 'logs', scenario: 'redis-stopped', hash: '#/logs', arrive: seen('log-histogram') },
  {
    name: 'logs-details',
    scenario: 'redis-stopped',
    hash: '#/logs',
    arrive: async (window) => {
      await window.page.getByTestId('log-line').filter({ hasText: 'webhook.whatsapp failed' }).last().click();
      await window.at('log-only-thread').click();
      await window.at('log-chip-thread').waitFor();
      await window.page.locator('[data-testid="log-line"][aria-selected="true"]').waitFor();
    },
  },
  {
    name: 'logs-filters',
    scenario: 'redis-stopped',
    hash: '#/logs?service=backend&service=worker&level=warning&grep=redis&last=1h',
    arrive: async (window) => {
      await window.at('log-line').first().waitFor();
      await window.at('log-services').click();
      await window.at('log-services-list').waitFor();
    },
  },
  {
    name: 'logs-new-lines',
    scenario: 'logs-many',
    hash: '#/logs',
    arrive: async ({ page, at }) => {
      await at('log-line').first().waitFor();
      await page.keyboard.press('f');
      await page.keyboard.press('PageUp');
      await page.evaluate(() =>
        window.ratibaFake?.write(
          Array.from({ length: 12 }, (_, i) => ({
            ts: new Date().toISOString(),
            service: 'worker',
            level: 'info',
            event: 'job',
            text: `arq job done  n=${i}`,
            stderr: false,
          })),
        ),
      );
      await at('log-pill').waitFor();
    },
  },
  {
    name: 'logs-partial',
    scenario: 'logs-partial',
    hash: '#/logs?last=all',
    arrive: (window) => window.at('log-line').first().waitFor(),
  },
  {
    name: 'logs-bad-pattern',
    scenario: 'healthy',
    hash: '#/logs',
    arrive: async (window) => {
      await window.at('log-line').first().waitFor();
      await window.at('log-grep').fill('webhook(');
      await window.at('log-pattern-error').waitFor();
    },
  },
  { name: 'logs-empty', scenario: 'logs-quiet', hash: '#/logs', arrive: seen('log-empty') },
  {
    name: 'logs-filtered-out',
    scenario: 'healthy',
    hash: '#/logs?service=redis&thread=01KAVXTHREAD00000000000017&grep=nowhere',
    arrive: seen('log-filtered-out'),
  },
  { name: 'logs-away', scenario: 'logs-away', hash: '#/logs', arrive: seen('log-error') },
  { name: 'logs-none', scenario: 'empty', hash: '#/logs', arrive: seen('log-error') },
  {
    name: 'logs-loading',
    scenario: 'loading',
    hash: '#/logs',
    arrive: (window) => window.page.getByText('Reading the logs').waitFor({ state: 'attached' }),
  },
  {
    name: 'logs-lost',
    scenario: 'healthy',
    hash: '#/logs',
    arrive: async ({ page, at }) => {
      await at('log-line').first().waitFor();
      await page.evaluate(() => window.ratibaFake?.drop());
      await at('link-lost').waitFor();
    },
  },
  {
    name: 'logs-hostile',
    scenario: 'hostile',
    hash: '#/logs',
    arrive: async (window) => {
      await window.page.getByTestId('log-line').filter({ hasText: 'onerror' }).first().click();
      await window.at('log-only-thread').click();
      await window.at('log-chip-thread').waitFor();
      await window.at('log-details').waitFor();
    },
  },
  { name: 'overview-unmatched', scenario: 'unmatched', arrive: seen('unmatched-bundle') },
  { name: 'overview-captured', scenario: 'redis-stopped', more: CAPTURED, arrive: seen('captured-file') },
  {
    name: 'playbook-captured',
    scenario: 'redis-stopped',
    hash: REDIS,
    more: CAPTURED,
    arrive: seen('evidence-against'),
  },
  {
    name: 'logs-captured',
    scenario: 'redis-stopped',
    hash: '#/logs',
    more: CAPTURED,
    arrive: (window) => window.at('log-line').first().waitFor(),
  },
  { name: 'bundle-form', scenario: 'journal', hash: '#/bundle', arrive: seen('bundle-form') },
  {
    name: 'bundle-making',
    scenario: 'redis-stopped',
    hash: '#/bundle',
    more: 'hold=9',
    arrive: async ({ at }) => {
      await at('bundle-collect').click();
      await at('bundle-line').nth(8).waitFor();
    },
  },
  { name: 'bundle-shown', scenario: 'redis-stopped', hash: '#/bundle', arrive: collected },
  {
    name: 'bundle-file',
    scenario: 'redis-stopped',
    hash: '#/bundle',
    arrive: async (window) => {
      await collected(window);
      await window.at('bundle-look-logs/backend.log').click();
      await window.at('bundle-text').waitFor();
    },
  },
  {
    name: 'bundle-file-failed',
    scenario: 'redis-stopped',
    hash: '#/bundle',
    arrive: async (window) => {
      await collected(window);
      await window.at('bundle-look-threads.jsonl').click();
      await window.at('bundle-file-why').waitFor();
    },
  },
  {
    name: 'bundle-drafts',
    scenario: 'redis-stopped',
    hash: '#/bundle',
    arrive: async (window) => {
      await collected(window);
      await window.at('bundle-deviation').scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'bundle-save-error',
    scenario: 'redis-stopped',
    hash: '#/bundle',
    arrive: async (window) => {
      await collected(window);
      await window.at('bundle-place').fill('/home/otieno/Downloads/taken.zip');
      await window.at('bundle-save').click();
      await window.at('bundle-save-error').waitFor();
    },
  },
  {
    name: 'bundle-written',
    scenario: 'redis-stopped',
    hash: '#/bundle',
    arrive: async (window) => {
      await collected(window);
      await window.at('bundle-save').click();
      await window.at('bundle-written').waitFor();
    },
  },
  {
    name: 'bundle-leaks',
    scenario: 'bundle-leaks',
    hash: '#/bundle',
    arrive: async ({ at }) => {
      await at('bundle-collect').click();
      await at('bundle-error').waitFor();
    },
  },
  {
    name: 'bundle-hostile',
    scenario: 'hostile',
    hash: '#/bundle',
    arrive: async (window) => {
      await collected(window);
      await window.at('bundle-facts').locator('summary').click();
      await window.at('bundle-look-compose-ps.txt').click();
      await window.at('bundle-text').waitFor();
    },
  },
  {
    name: 'bundle-loading',
    scenario: 'loading',
    hash: '#/bundle',
    arrive: (window) => window.page.getByText('Reading the stack').waitFor({ state: 'attached' }),
  },
  {
    name: 'bundle-opened',
    scenario: 'redis-stopped',
    hash: '#/bundle',
    more: CAPTURED,
    arrive: seen('bundle-summary'),
  },
  {
    name: 'sheet',
    scenario: 'healthy',
    arrive: async (window) => {
      await window.at('wrong-nothing').waitFor();
      await window.page.keyboard.press('?');
      await window.at('sheet').waitFor();
    },
  },
];

async function collected({ at }: Opened): Promise<void> {
  await at('bundle-collect').click();
  await at('bundle-summary').waitFor();
}

async function loading(window: Opened): Promise<void> {
  await window.page.getByText('Reading the runbook').waitFor({ state: 'attached' });
}

async function resume(window: Opened): Promise<void> {
  await window.at('answer-resume').click();
  await window.at('moved').waitFor();
}

/** A run that stays at a step. */
async function holdAt(window: Opened, n: number): Promise<void> {
  await review(window);
  await window.at('confirm-phrase').fill('test_tenant_9f31');
  await window.at('confirm-act').click();
  await window.page.getByText(`Stage ${n} of`).waitFor();
}

async function plan(window: Opened): Promise<void> {
  await window.at('make-plan').click();
  await window.at('plan-step-1').waitFor();
}

async function review(window: Opened): Promise<void> {
  await plan(window);
  await window.at('review-plan').click();
  await window.at('confirm-pane').waitFor();
}

async function act(window: Opened, outcome: string): Promise<void> {
  await review(window);
  await window.at('confirm-act').click();
  await window.page.locator(`[data-testid="run-outcome"][data-outcome="${outcome}"]`).waitFor();
  if (outcome !== 'failed') await window.at('undo-run').waitFor();
}

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

/**
 * A state is reached once, in the small light window; then the window is looked at as it changes. The other theme has
 * other colours and nothing else.
 */
const LOOKS: { theme: Theme; size: Size; axe?: 'all' | string[] }[] = [
  { theme: 'light', size: 'small', axe: 'all' },
  { theme: 'light', size: 'large' },
  { theme: 'dark', size: 'large', axe: ['color-contrast'] },
  { theme: 'dark', size: 'small' },
];

describe('in both themes and both sizes', () => {
  test.each(SHOTS)('$name', async ({ name, arrive, ...opening }) => {
    const window = await open(browser, { ...opening, theme: 'light', size: 'small' });
    try {
      await arrive(window);
      for (const { theme, size, axe } of LOOKS) {
        await window.page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
        await window.page.setViewportSize(SIZES[size]);
        await picture(window.page, `${name}-${theme}-${size}`);
        if (axe !== undefined) await expectAccessible(window.page, axe === 'all' ? undefined : axe);
        await expectNoSidewaysScroll(window.page);
        await expectNotBlank(window.page);
      }
      expect(window.trouble, 'the page complained of nothing').toEqual([]);
    } finally {
      await window.close();
    }
  });
});
