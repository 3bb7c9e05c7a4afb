/** Every view in every state, in both themes and both sizes: accessible, not too wide, nothing complained. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  expectAccessible,
  expectNoSidewaysScroll,
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
    name: 'runbook-empty',
    scenario: 'empty',
    hash: '#/runbook',
    arrive: (window) => window.page.getByText('There is no playbook').waitFor(),
  },
  { name: 'playbook-finding', scenario: 'redis-stopped', hash: REDIS, arrive: seen('evidence-against') },
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

for (const theme of ['light', 'dark'] satisfies Theme[]) {
  for (const size of Object.keys(SIZES) as Size[]) {
    describe(`${theme}, ${SIZES[size].width} x ${SIZES[size].height}`, () => {
      test.each(SHOTS)('$name', async ({ name, arrive, ...opening }) => {
        const window = await open(browser, { ...opening, theme, size });
        try {
          await arrive(window);
          await picture(window.page, `${name}-${theme}-${size}`);
          await expectAccessible(window.page);
          await expectNoSidewaysScroll(window.page);
          expect(window.trouble, 'the page complained of nothing').toEqual([]);
        } finally {
          await window.close();
        }
      });
    });
  }
}
