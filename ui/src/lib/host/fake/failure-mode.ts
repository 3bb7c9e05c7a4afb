/** New rows without a core: files that look like those that it makes, and a checkout, if the address names one. */
import type { FailureMode, FailureModeDraft } from '../generated/wire';
import { HostError } from '../host';

export class FakeRows {
  readonly #checkout: string | undefined;
  readonly #written = new Set<string>();

  constructor(checkout: string | undefined) {
    this.#checkout = checkout;
  }

  drafted(told: FailureMode): FailureModeDraft {
    const row = told.row ?? '14';
    if (row === '5')
      throw new HostError({
        code: 'usage',
        message: 'make a new failure mode: the row 5 is taken by 05-fsm-stuck-collect-slot',
        hint: 'Give it otherwise.',
      });
    const name = (told.id ?? told.title)
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(new RegExp(`^${row}-`), '');
    const id = `${row}-${name}`;
    const script = `// # Symptom\n// ${told.symptom}\n\nfn detect(env) {\n    [#{ verdict: "unknown", reason: "row ${row} is not written yet" }]\n}\n`;
    const drill = `id = "${id}"\n\n[[variant]]\nname = "as-reported"\ninject = [{ unwritten = "acts that cause the fault in the lab" }]\n`;
    return {
      id,
      row,
      files: [
        { path: `playbooks/${id}.rhai`, text: script },
        { path: `tests/drills/${id}.toml`, text: drill },
      ],
      ...(this.#checkout === undefined
        ? { why_not: 'the playbooks are part of the console: RATIBA_PLAYBOOKS names no folder' }
        : { place: this.#checkout }),
    };
  }

  write(told: FailureMode): FailureModeDraft {
    const made = this.drafted(told);
    if (made.place === undefined || this.#written.has(made.id))
      throw new HostError({
        code: 'usage',
        message: `write ${made.files[0]?.path ?? ''}: a file of that name is there, and is not overwritten`,
        hint: 'Give another id.',
      });
    this.#written.add(made.id);
    return made;
  }
}
