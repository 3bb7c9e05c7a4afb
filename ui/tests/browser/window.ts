/** A Chromium window on the built app over the fake host, and what every test asks of it. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AxeResults } from 'axe-core';
import { chromium, type Browser, type Locator, type Page } from 'playwright-core';
import { expect, inject } from 'vitest';
import { ADDRESS, serve } from './serve';

export type Theme = 'light' | 'dark';

export const SIZES = { small: { width: 960, height: 600 }, large: { width: 1280, height: 800 } } as const;
export type Size = keyof typeof SIZES;

export const ARTEFACTS = fileURLToPath(new URL('../../../test-artefacts/ui', import.meta.url));

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The headless shell draws with half the work of a whole Chromium. */
const INSTALLED = [
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** One browser for a test file. */
export async function launch(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM'] ?? INSTALLED.find((path) => existsSync(path));
  if (executablePath === undefined || !existsSync(executablePath)) {
    throw new Error(
      `There is no Chromium at ${executablePath ?? INSTALLED.join(', ')}. Install it (Debian: apt-get install chromium-headless-shell; macOS: brew install --cask chromium) or set CHROMIUM to its path.`,
    );
  }
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--force-color-profile=srgb'] });
}

export interface Opened {
  page: Page;
  at: (testid: string) => Locator;
  /** What went wrong in the page: exceptions, console errors, blocked by the CSP. */
  trouble: string[];
  close: () => Promise<void>;
}

export interface Opening {
  scenario: string;
  hash?: string;
  theme?: Theme;
  size?: Size;
  /** More of the address, such as `kind=pilot&read_only=1`. */
  more?: string;
  reducedMotion?: boolean;
}

/** Opens a scenario. As in the window, `Object.prototype` is frozen before any script runs. */
export async function open(browser: Browser, opening: Opening): Promise<Opened> {
  const {
    scenario,
    hash = '#/overview',
    theme = 'light',
    size = 'large',
    more = '',
    reducedMotion = true,
  } = opening;
  const context = await browser.newContext({
    viewport: SIZES[size],
    colorScheme: theme,
    reducedMotion: reducedMotion ? 'reduce' : 'no-preference',
  });
  await serve(context, inject('app'));
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const trouble: string[] = [];
  page.on('pageerror', (error) => trouble.push(`exception: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      trouble.push(`console: ${message.text()}`);
  });
  page.on('requestfailed', (request) =>
    trouble.push(`not loaded: ${request.url()}: ${request.failure()?.errorText ?? 'no reason'}`),
  );
  await page.addInitScript(() => Object.freeze(Object.prototype));
  const pace = more.includes('pace=') ? '' : '&pace=15';
  await page.goto(`${ADDRESS}?host=fake&scenario=${scenario}${pace}${more === '' ? '' : `&${more}`}${hash}`);
  await page.locator('main').waitFor();
  const styles = await page.evaluate(() => document.styleSheets.length);
  expect(styles, `the window has its styles; ${trouble.join('; ')}`).toBeGreaterThan(0);
  return { page, at: (testid) => page.getByTestId(testid), trouble, close: () => context.close() };
}

/** No violation of any axe rule, or of these alone, with each violation's nodes named. */
export async function expectAccessible(page: Page, rules?: string[]): Promise<void> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axeSource);
  const found = await page.evaluate(async (only) => {
    const axe = (window as unknown as { axe: { run: (options: unknown) => Promise<AxeResults> } }).axe;
    return axe.run({ resultTypes: ['violations'], ...(only === undefined ? {} : { runOnly: only }) });
  }, rules);
  const violations = found.violations.flatMap((violation) =>
    violation.nodes.map((node) => `${violation.id}: ${node.target.join(' ')}: ${node.failureSummary ?? ''}`),
  );
  expect(violations, 'axe finds nothing to complain about').toEqual([]);
}

export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const over = await page.evaluate(() =>
    ['html', 'main', '.page > .main', '.board'].flatMap((selector) =>
      [...document.querySelectorAll(selector)]
        .filter((node) => node.scrollWidth > node.clientWidth)
        .map((node) => `${selector} is ${node.scrollWidth} wide in ${node.clientWidth}`),
    ),
  );
  expect(over, 'nothing is wider than the window').toEqual([]);
}

/** The view shows something wherever it is scrolled to: a window that changes its size must not go blank. */
export async function expectNotBlank(page: Page): Promise<void> {
  const shown = await page.locator('main').evaluate((main) => {
    const { x, y, width, height } = main.getBoundingClientRect();
    const steps = [0.1, 0.3, 0.5, 0.7, 0.9];
    const points = steps.flatMap((across) => steps.map((down) => [x + width * across, y + height * down]));
    const found = points.map(([left = 0, top = 0]) => document.elementFromPoint(left, top));
    return found.filter((element) => element !== null && !element.contains(main)).length;
  });
  expect(shown, 'something is to be seen').toBeGreaterThan(0);
}

export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(ARTEFACTS, { recursive: true });
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
  await page.screenshot({ path: join(ARTEFACTS, `${name}.png`) });
}

/** Opens, acts, and sees that the page complained of nothing. */
export function within(
  browser: () => Browser,
): (opening: Opening, act: (window: Opened) => Promise<void>) => Promise<void> {
  return async (opening, act) => {
    const window = await open(browser(), opening);
    try {
      await act(window);
      expect(window.trouble, 'the page complained of nothing').toEqual([]);
    } finally {
      await window.close();
    }
  };
}

/** The test id of what has the focus. */
export const focused = (page: Page): Promise<string | null> =>
  page.evaluate(
    () => document.activeElement?.getAttribute('data-testid') ?? document.activeElement?.tagName ?? null,
  );

/** The commands that were called, in order. */
export const calls = (page: Page): Promise<string[]> =>
  page.evaluate(() => window.ratibaFake?.calls.map((call) => call.name) ?? []);

/** What a command was asked, each time. */
export const asked = (page: Page, name: string): Promise<unknown[]> =>
  page.evaluate(
    (wanted) =>
      window.ratibaFake?.calls.filter((call) => call.name === wanted).map((call) => call.request) ?? [],
    name,
  );

/** Presses Tab until the element has the focus; says so if it is never reached. */
export async function tabTo(page: Page, testid: string): Promise<void> {
  for (let i = 0; i < 60; i++) {
    if ((await focused(page)) === testid) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${testid} can't be reached with Tab`);
}
