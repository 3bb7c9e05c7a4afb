/** A histogram as bars in pixels, and in words. */
import type { Histogram } from '../lib/host/generated/wire';
import { plural } from '../lib/kit/format';
import { clockUtc, totals } from '../lib/state/log-lines';

/** Heights from the ground: each covers the ones after it, so that errors stand at the foot. */
export interface Bar {
  readonly x: number;
  readonly w: number;
  readonly rest: number;
  readonly warnings: number;
  readonly errors: number;
}

/** What there is of a kind is never too small to be seen. */
const LEAST = 2;

export function bars({ spans }: Histogram, width: number, height: number): Bar[] {
  const most = spans.reduce((so, span) => Math.max(so, span.lines), 1);
  const step = width / Math.max(1, spans.length);
  const tall = (n: number, least: number): number => (n === 0 ? 0 : Math.max(least, (n / most) * height));
  return spans.map((span, i) => {
    const errors = tall(span.errors, LEAST);
    const bad = span.warnings + span.errors;
    const warnings = span.warnings === 0 ? 0 : Math.max(errors + LEAST, tall(bad, LEAST));
    const rest = span.lines === bad ? 0 : Math.max(warnings, errors) + LEAST;
    const w = Math.max(1, Math.min(step - 1, 24));
    return {
      x: i * step + Math.max(0, (step - w) / 2),
      w,
      rest: span.lines === bad ? 0 : Math.max(rest, tall(span.lines, LEAST)),
      warnings,
      errors,
    };
  });
}

/** `14:07:15 to 14:07:30: 212 lines, 38 errors`. */
export function spanText({ spans, span_s }: Histogram, first: number, last: number): string {
  const since = Date.parse(spans[first]?.at ?? '');
  const until = Date.parse(spans[last]?.at ?? '') + span_s * 1000;
  if (Number.isNaN(since) || Number.isNaN(until)) return '';
  return `${clockUtc(since, false)} to ${clockUtc(until, false)}: ${counts({ spans: spans.slice(first, last + 1), span_s, untimed: 0 })}`;
}

/** The picture for those who don't see it. */
export function summary(histogram: Histogram): string {
  const { spans, span_s } = histogram;
  const worst = spans.reduce((so, span, i) => (span.errors > (spans[so]?.errors ?? 0) ? i : so), 0);
  const most = (spans[worst]?.errors ?? 0) > 0 ? ` Most errors: ${spanText(histogram, worst, worst)}.` : '';
  return `${spanText(histogram, 0, spans.length - 1)}, in spans of ${span_s} s.${most} Arrow keys go through the spans, Shift takes more of them, Enter shows their lines.`;
}

function counts(histogram: Histogram): string {
  const { lines, warnings, errors } = totals(histogram);
  const parts = [plural(lines, 'line')];
  if (warnings > 0) parts.push(plural(warnings, 'warning'));
  if (errors > 0) parts.push(plural(errors, 'error'));
  return parts.join(', ');
}
