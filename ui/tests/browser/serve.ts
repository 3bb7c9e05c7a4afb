/**
 * Gives the built app to a browser as the window would: own origin, strict CSP. No network is used: Chromium drops
 * what it loads when a network interface comes or goes, and the labs beside these tests make and remove such all the time.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';
import type { BrowserContext } from 'playwright-core';

export const ADDRESS = 'http://localhost/';

const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'";

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

export async function serve(context: BrowserContext, folder: string): Promise<void> {
  await context.route('**/*', async (route) => {
    const { origin, pathname } = new URL(route.request().url());
    const file = normalize(join(folder, pathname === '/' ? 'index.html' : pathname));
    const isThere = file.startsWith(folder) && existsSync(file) && statSync(file).isFile();
    if (origin !== new URL(ADDRESS).origin || !isThere) return route.fulfill({ status: 404 });
    return route.fulfill({
      body: readFileSync(file),
      headers: {
        'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
        'content-security-policy': CSP,
      },
    });
  });
}
