/**
 * Puts off what would move the page while the pointer is held down: a field that is left by pressing a button would
 * push that button away from under the pointer, and the press would be lost.
 */
export function afterPress(): { listen: () => () => void; call: (act: () => void) => void } {
  let held = false;
  let waiting: (() => void)[] = [];
  const press = (): void => void (held = true);
  const release = (): void => {
    held = false;
    const acts = waiting;
    waiting = [];
    // The click comes after the release.
    requestAnimationFrame(() => acts.forEach((act) => act()));
  };
  return {
    listen: () => {
      window.addEventListener('pointerdown', press, true);
      window.addEventListener('pointerup', release, true);
      window.addEventListener('pointercancel', release, true);
      return () => {
        window.removeEventListener('pointerdown', press, true);
        window.removeEventListener('pointerup', release, true);
        window.removeEventListener('pointercancel', release, true);
      };
    },
    call: (act) => void (held ? waiting.push(act) : act()),
  };
}
