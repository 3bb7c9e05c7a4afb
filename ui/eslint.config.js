import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

/** Layers, inner first. A file may import from its own layer and from the layers named here. */
const tauri = {
  group: ['@tauri-apps/*'],
  message: 'Only lib/host/tauri.ts talks to Tauri; use the Host interface.',
};
const domains = ['services', 'tenants', 'payments', 'triage', 'logs', 'playbook', 'run', 'journal', 'bundle'];
/** Which domain folder may use parts of another. */
const allowed = { journal: ['run', 'playbook'], run: ['playbook'], triage: ['playbook'] };
const inDomain = domains.map((name) => `**/${name}/*`);
const views = { group: ['**/views/*'], message: 'Views compose; nothing below them imports them.' };
const domain = { group: inDomain, message: 'This layer knows no domain component.' };
const state = { group: ['**/state/*'], message: 'The kit and the keys know no state; pass what they need.' };
const host = { group: ['**/lib/host/*', '**/host/*'], message: 'This layer does not talk to the host.' };
const only = (...patterns) => ({ 'no-restricted-imports': ['error', { patterns }] });

const noMarkup = {
  'no-restricted-properties': [
    'error',
    ...['innerHTML', 'outerHTML', 'insertAdjacentHTML', 'createContextualFragment'].map((property) => ({
      property,
      message: 'Text from outside is rendered as text.',
    })),
    { object: 'document', property: 'write', message: 'Text from outside is rendered as text.' },
  ],
  'no-eval': 'error',
  'no-implied-eval': 'error',
  'no-console': 'error',
};

export default ts.config(
  { ignores: ['dist/', 'node_modules/', 'src/lib/host/generated/'] },
  js.configs.recommended,
  ...ts.configs.recommended,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser } } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig } },
    rules: {
      'svelte/no-at-html-tags': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector: 'SvelteAttribute[key.name="style"]',
          message:
            'The CSP blocks style attributes; use a class, or a style: directive for a computed value.',
        },
      ],
      'svelte/button-has-type': 'error',
      'svelte/no-target-blank': 'error',
      'svelte/no-navigation-without-resolve': 'off',
    },
  },
  { files: ['src/**'], rules: { ...noMarkup, ...only(tauri) } },
  { files: ['src/lib/kit/**'], rules: only(tauri, host, state, domain, views) },
  { files: ['src/lib/keys/**'], rules: only(tauri, host, state, domain, views) },
  { files: ['src/lib/state/**'], rules: only(tauri, domain, views) },
  {
    files: ['src/lib/host/**'],
    rules: only(
      tauri,
      { group: ['**/kit/*', '**/keys/*'], message: 'The host draws nothing.' },
      state,
      domain,
      views,
    ),
  },
  { files: ['src/lib/host/tauri.ts'], rules: { 'no-restricted-imports': 'off' } },
  ...domains.map((name) => ({
    files: [`src/${name}/**`],
    rules: only(tauri, views, {
      group: domains
        .filter((other) => other !== name && !(allowed[name] ?? []).includes(other))
        .map((other) => `**/${other}/*`),
      message: 'Domain folders do not import each other, except as listed in eslint.config.js.',
    }),
  })),
  {
    files: ['tests/**', '*.ts', '*.js'],
    languageOptions: { globals: { ...globals.node } },
    rules: { 'no-control-regex': 'off' },
  },
);
