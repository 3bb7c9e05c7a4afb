/** Whether a row matches what was typed: every word, anywhere in what the playbook says or what is `beside` it. */
import type { PlaybookView } from '../host/generated/wire';

export function matches(playbook: PlaybookView, wanted: string, beside = ''): boolean {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const sections = playbook.sections.map((section) => section.text).join(' ');
  const text =
    `${playbook.id} row ${playbook.row} ${playbook.title} ${playbook.symptom} ${playbook.severity} ${sections} ${beside}`.toLowerCase();
  return words.every((word) => text.includes(word));
}
