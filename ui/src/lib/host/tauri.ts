/** The console's own window. The only file that imports `@tauri-apps/*`. */
import { Channel, invoke } from '@tauri-apps/api/core';
import type { Update } from './generated/wire';
import { asHostError, type Answer, type CommandName, type Host, type Request } from './host';

export function inTauri(): boolean {
  return '__TAURI_INTERNALS__' in window;
}

export const tauriHost: Host = {
  kind: 'tauri',

  async call<N extends CommandName>(name: N, request: Request<N>): Promise<Answer<N>> {
    try {
      return await invoke<Answer<N>>(name, { request });
    } catch (thrown) {
      throw asHostError(thrown);
    }
  },

  async subscribe(listener: (update: Update) => void): Promise<() => void> {
    const channel = new Channel<Update>();
    let open = true;
    channel.onmessage = (update) => {
      if (open) listener(update);
    };
    try {
      await invoke('subscribe', { channel });
    } catch (thrown) {
      throw asHostError(thrown);
    }
    return () => {
      open = false;
    };
  },
};
