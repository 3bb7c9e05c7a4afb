import '@fontsource-variable/inter';
import '@fontsource-variable/jetbrains-mono';
import './styles/tokens.css';
import './styles/base.css';
import { mount } from 'svelte';
import App from './App.svelte';
import type { Host } from './lib/host/host';
import { inTauri, tauriHost } from './lib/host/tauri';

/** In the console's window there is only the real host; a plain browser gets the fake one. */
async function chooseHost(): Promise<Host> {
  if (inTauri()) return tauriHost;
  const { fakeHost } = await import('./lib/host/fake');
  return fakeHost(location.search);
}

const target = document.getElementById('app');
if (target === null) throw new Error('index.html has no #app');
mount(App, { target, props: { host: await chooseHost() } });
