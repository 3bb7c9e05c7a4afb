/** Whether a playbook matches what was typed: every word, anywhere in its id, row, title, symptom or sections. */
import type { PlaybookView } from '../host/generated/wire';

export function matches(playbook: PlaybookView, wanted: string): boolean {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const sections = playbook.sections.map((section) => section.text).join(' ');
  const text =
    `${playbook.id} row ${playbook.row} ${playbook.title} ${playbook.symptom} ${playbook.severity} ${sections}`.toLowerCase();
  return words.every((word) => text.includes(word));
}
