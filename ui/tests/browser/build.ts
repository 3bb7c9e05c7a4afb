/** Builds the app as it ships. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The folder with the built app. */
    app: string;
  }
}

const root = fileURLToPath(new URL('../..', import.meta.url));

export default async function setup(project: TestProject): Promise<void> {
  const outDir = join(root, 'node_modules', '.browser-test');
  await build({ root, logLevel: 'warn', build: { outDir, emptyOutDir: true } });
  project.provide('app', outDir);
}
