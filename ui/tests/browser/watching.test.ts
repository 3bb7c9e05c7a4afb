/** Watching: what moves, what must not, what happens when the core goes away, and what hostile text can't do. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SnapshotView } from '../../src/lib/host/generated/wire';
import { snapshot, tenant, tile, triage, verdict } from '../../src/lib/host/fake/stack';
import { KEYS } from '../../src/lib/keys/registry';
import { launch, within } from './window';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

const inWindow = within(() => browser);

const push = (page: Page, update: unknown): Promise<void> =>
  page.evaluate(
    (one) => window.ratibaFake?.push(one as Parameters<NonNullable<typeof window.ratibaFake>['push']>[0]),
    update,
  );

const soon = (): string => new Date(Date.now() + 60_000).toISOString();

const order = (page: Page): Promise<(string | null)[]> =>
  page
    .locator('[data-testid="wrong-now"] > li')
    .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-testid')));

test('says when the first tiles are drawn', () =>
  inWindow({ scenario: 'healthy' }, async ({ page, at }) => {
    await at('tile-redis').waitFor();
    await page.locator('html[data-ready]').waitFor({ state: 'attached' });
    const ready = Number(await page.locator('html').getAttribute('data-ready'));
    expect(ready).toBeGreaterThan(0);
  }));

describe('the list of what is wrong', () => {
  const turned = (): unknown => ({
    type: 'triage',
    triage: triage(
      [
        verdict('13-alembic-heads', 'present'),
        verdict('07-payment-pending-timeout', 'present'),
        verdict('01-service-unhealthy', 'suspected'),
      ],
      { taken_at: soon() },
    ),
  });
  const WAS = ['wrong-01-service-unhealthy', 'wrong-07-payment-pending-timeout'];
  const IS = ['wrong-13-alembic-heads', 'wrong-07-payment-pending-timeout', 'wrong-01-service-unhealthy'];

  test('is ranked, and takes a new ranking at once when nobody is in it', () =>
    inWindow({ scenario: 'redis-stopped' }, async ({ page, at }) => {
      await at('wrong-01-service-unhealthy').waitFor();
      expect(await order(page)).toEqual(WAS);
      await push(page, turned());
      await expect.poll(() => order(page)).toEqual(IS);
    }));

  test('does not move under the pointer, says how much has changed, and refreshes on request', () =>
    inWindow({ scenario: 'redis-stopped' }, async ({ page, at }) => {
      await at('wrong-01-service-unhealthy').hover();
      await push(page, turned());
      await at('hold-refresh').waitFor();
      expect(await order(page)).toEqual(WAS);
      expect(await at('hold-refresh').textContent()).toContain('2 changes, refresh');
      expect(
        await at('wrong-01-service-unhealthy').getAttribute('data-verdict'),
        'values go on in place',
      ).toBe('suspected');
      await at('hold-refresh').click();
      await expect.poll(() => order(page)).toEqual(IS);
    }));

  test('does not move under the focus, and lets go when the focus leaves', () =>
    inWindow({ scenario: 'redis-stopped' }, async ({ page, at }) => {
      await at('open-01-service-unhealthy').focus();
      await push(page, turned());
      await at('hold-refresh').waitFor();
      expect(await order(page)).toEqual(WAS);
      await at('nav-journal').focus();
      await expect.poll(() => order(page)).toEqual(IS);
    }));
});

describe('what is not known', () => {
  test('is never healthy: silence is only said when every check was answered', () =>
    inWindow({ scenario: 'partial-unknown' }, async ({ page, at }) => {
      await at('wrong-unknown').waitFor();
      expect(await at('wrong-unknown').textContent()).toContain(
        'No fault seen, but 4 checks could not be answered',
      );
      expect(await at('wrong-nothing').count()).toBe(0);
      expect(await at('tile-sip').getAttribute('data-mark')).toBe('unknown');
      await push(page, { type: 'triage', triage: triage([], { taken_at: soon() }) });
      await page.getByText('No fault seen, but not everything is as it should be').waitFor();
    }));

  test('is a dash and never a zero', () =>
    inWindow({ scenario: 'redis-stopped' }, async ({ at }) => {
      const text = (await at('tenant-amani_clinic').textContent()) ?? '';
      expect(text).toMatch(/threads\s*\u2014/);
      expect(text).toMatch(/stuck\s*\u2014/);
    }));

  test('a stale tile keeps its last value, says its age and is no longer green', () =>
    inWindow({ scenario: 'stale' }, async ({ at }) => {
      await at('tile-postgres').waitFor();
      expect(await at('tile-postgres').getAttribute('data-stale')).toBe('true');
      expect(await at('tile-postgres').textContent()).toMatch(/Was healthy.*stale 4\d\s+s/s);
      const [word, green] = await at('tile-postgres').evaluate((node) => {
        const mark = node.querySelector('.mark');
        const probe = document.createElement('i');
        probe.className = 'probe';
        probe.style.setProperty('color', 'var(--ok)');
        document.body.append(probe);
        return [mark ? getComputedStyle(mark).color : '', getComputedStyle(probe).color];
      });
      expect(word).not.toBe(green);
    }));
});

test('an update that comes late does not bring the past back', () =>
  inWindow({ scenario: 'healthy' }, async ({ page, at }) => {
    await at('tile-redis').waitFor();
    const with_ = (revision: number, mark: 'ok' | 'crit'): { type: 'snapshot'; snapshot: SnapshotView } => ({
      type: 'snapshot',
      snapshot: snapshot({ revision, services: [tile('redis', { mark })] }),
    });
    await push(page, with_(60, 'crit'));
    await page.locator('[data-testid="tile-redis"][data-mark="crit"]').waitFor();
    await push(page, with_(59, 'ok'));
    await push(page, {
      type: 'snapshot',
      snapshot: snapshot({ revision: 61, services: [tile('redis', { mark: 'crit' }), tile('late')] }),
    });
    await at('tile-late').waitFor();
    expect(await at('tile-redis').getAttribute('data-mark')).toBe('crit');
  }));

describe('when the core goes away', () => {
  test('what was known stays, as the past, and one can try again', () =>
    inWindow({ scenario: 'healthy' }, async ({ page, at }) => {
      await at('tile-redis').waitFor();
      await page.evaluate(() => window.ratibaFake?.drop());
      await at('link-lost').waitFor();
      expect(await at('tile-redis').getAttribute('data-stale')).toBe('true');
      await at('reconnect').click();
      await at('link-lost').waitFor({ state: 'detached' });
      await page.locator('[data-testid="tile-redis"][data-stale="false"]').waitFor();
    }));

  test('at the start there is nothing but the reason and the way on', () =>
    inWindow({ scenario: 'disconnected' }, async ({ at }) => {
      await at('link-lost').waitFor();
      expect(await at('tile-redis').count()).toBe(0);
    }));
});

test('text from outside is text: no element, no script, nothing unseen', () =>
  inWindow({ scenario: 'hostile' }, async ({ page, at }) => {
    await at('wrong-01-service-unhealthy').waitFor();
    const pages = [
      '#/overview',
      '#/runbook',
      '#/journal',
      '#/journal/01KAVX7M3Q0000000000000001',
      '#/playbook/01-service-unhealthy?service=redis',
    ];
    for (const hash of pages) {
      await page.goto(page.url().replace(/#.*/, hash));
      if (hash.includes('playbook')) {
        await at('make-plan').click();
        await at('plan-step-1').waitFor();
        await at('review-plan').click();
        await at('confirm-act').click();
        await at('changes').waitFor();
      } else {
        await page.locator('main').getByText('onerror').first().waitFor();
      }
      expect(await page.locator('main img, main script').count(), 'elements made from text').toBe(0);
      expect(await page.title()).toBe('Ratiba Console');
      const raw = await page.evaluate(() => {
        const attributes = [...document.querySelectorAll('*')].flatMap((node) =>
          [...node.attributes].map((one) => one.value),
        );
        return [document.body.textContent ?? '', ...attributes].filter((text) =>
          /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u202a-\u202e]/.test(text),
        );
      });
      expect(raw, 'control and bidi characters left as they were').toEqual([]);
    }
  }));

test('a thousand tenants stay a short list until one asks for more, and can be filtered', () =>
  inWindow({ scenario: 'many' }, async ({ page, at }) => {
    await at('tenant-filter').waitFor();
    const rows = page.locator('[data-testid^="tenant-tenant_"]');
    expect(await rows.count()).toBe(8);
    expect(await rows.first().getAttribute('data-mark'), 'the worst first').toBe('warn');
    await at('tenant-filter').fill('number 777');
    await expect.poll(() => rows.count()).toBe(1);
  }));

test('one tenant’s payments can be looked at alone', () =>
  inWindow({ scenario: 'healthy' }, async ({ page, at }) => {
    await at('payments-tenant').selectOption('baraka_salon');
    await expect.poll(() => at('payments-paid').textContent()).toContain('64');
    await push(page, {
      type: 'snapshot',
      snapshot: snapshot({
        revision: 90,
        tenants: [tenant('baraka_salon', 'B', { payments: null, detail: 'postgres is slow' })],
      }),
    });
    await page.getByText('postgres is slow').first().waitFor();
    expect(await at('payments-paid').count()).toBe(0);
  }));

describe('keys', () => {
  test('lead to every place, open the search and the sheet, and change the theme', () =>
    inWindow({ scenario: 'redis-stopped' }, async ({ page, at }) => {
      await at('wrong-01-service-unhealthy').waitFor();
      await page.keyboard.press('g');
      await page.keyboard.press('r');
      await at('verdict-01-service-unhealthy').waitFor();
      await page.keyboard.press('/');
      await page.keyboard.type('alembic');
      await expect.poll(() => page.locator('[data-testid^="verdict-"]').count()).toBe(1);
      await page.keyboard.press('Escape');
      await expect.poll(() => page.locator('[data-testid^="verdict-"]').count()).toBe(18);
      await page.keyboard.press('j');
      await page.keyboard.press('j');
      await page.keyboard.press('k');
      await page.keyboard.press('Enter');
      await at('evidence-for').waitFor();
      await page.keyboard.press('g');
      await page.keyboard.press('o');
      await at('wrong-01-service-unhealthy').waitFor();
      await page.keyboard.press('d');
      await page.locator('html[data-theme="light"]').waitFor({ state: 'attached' });
      await page.keyboard.press('d');
      await page.locator('html[data-theme="dark"]').waitFor({ state: 'attached' });
    }));

  test('are all on the sheet, which Escape closes', () =>
    inWindow({ scenario: 'healthy' }, async ({ page, at }) => {
      await at('wrong-nothing').waitFor();
      await page.keyboard.press('?');
      const listed = await at('sheet')
        .locator('[data-key]')
        .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-key')));
      expect([...listed].sort()).toEqual(KEYS.map((entry) => entry.id).sort());
      await page.keyboard.press('Escape');
      await at('sheet').waitFor({ state: 'detached' });
    }));

  test('t looks at everything again and leads to what is wrong', () =>
    inWindow({ scenario: 'healthy', hash: '#/journal' }, async ({ page, at }) => {
      await at('journal').waitFor();
      await page.keyboard.press('t');
      await at('wrong-nothing').waitFor();
      expect(await page.evaluate(() => document.activeElement?.getAttribute('data-testid'))).toBe(
        'wrong-panel',
      );
    }));
});

test('the theme follows the system until one chooses, and the choice is kept', () =>
  inWindow({ scenario: 'healthy', theme: 'dark' }, async ({ page, at }) => {
    await page.locator('html[data-theme="dark"]').waitFor({ state: 'attached' });
    await page.emulateMedia({ colorScheme: 'light' });
    await page.locator('html[data-theme="light"]').waitFor({ state: 'attached' });
    await at('theme-dark').check();
    await page.locator('html[data-theme="dark"]').waitFor({ state: 'attached' });
    await page.reload();
    await page.locator('html[data-theme="dark"]').waitFor({ state: 'attached' });
  }));

test('with reduced motion nothing moves', () =>
  inWindow({ scenario: 'redis-stopped' }, async ({ page, at }) => {
    await at('wrong-01-service-unhealthy').waitFor();
    const moving = await page.evaluate(
      () =>
        [...document.querySelectorAll('*')].filter(
          (node) => getComputedStyle(node).transitionDuration !== '0s',
        ).length,
    );
    expect(moving).toBe(0);
  }));
