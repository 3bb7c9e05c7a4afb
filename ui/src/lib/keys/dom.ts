/** The registry's ears and feet: listens to the window, moves the focus along a list. */
import type { KeyRegistry } from './registry';

/** Listens until the answer is called. */
export function listen(keys: KeyRegistry): () => void {
  const heard = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing) return;
    const pressed = {
      key: event.key,
      ctrlKey: event.ctrlKey,
      metaKey: event.metaKey,
      altKey: event.altKey,
      inField: isField(event.target),
      ownMoves: hasMovesOfItsOwn(event.target),
      modal: document.querySelector('dialog[open]') !== null,
      at: event.timeStamp,
    };
    if (keys.press(pressed)) event.preventDefault();
  };
  window.addEventListener('keydown', heard);
  return () => window.removeEventListener('keydown', heard);
}

function isField(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return !['checkbox', 'radio', 'button'].includes(target.type);
  return target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}

/** Anything that has the focus may scroll, or have choices to go through; a grid's rows are moved along by the registry. */
function hasMovesOfItsOwn(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement) || target === document.body || target.id === 'main') return false;
  return !target.matches('a, button') && target.closest('[role="grid"]') === null;
}

/** Moves the focus to the next or previous element marked `data-nav` on the page. */
export function moveFocus(by: 1 | -1): void {
  const stops = [...document.querySelectorAll<HTMLElement>('main [data-nav]')].filter(
    (stop) => stop.offsetParent !== null,
  );
  if (stops.length === 0) return;
  const at = stops.findIndex(
    (stop) => stop === document.activeElement || stop.contains(document.activeElement),
  );
  const next =
    at === -1 ? (by === 1 ? 0 : stops.length - 1) : Math.min(stops.length - 1, Math.max(0, at + by));
  stops[next]?.focus();
  stops[next]?.scrollIntoView({ block: 'nearest' });
}
