/** Payments by state for the funnel. A number that is not known is `null` and comes with the reason. */
import type { SnapshotView, TenantView } from '../host/generated/wire';

export interface FunnelRow {
  readonly state: string;
  readonly count: number | null;
  readonly stuck: number | null;
  readonly oldest: string | null;
}

export interface Funnel {
  readonly rows: readonly FunnelRow[];
  /** What is missing from the numbers, in one sentence. */
  readonly unknown: string | undefined;
}

/** The states in the order that a payment goes through them; others follow by name. */
const ORDER = ['initiated', 'pending', 'paid', 'completed', 'failed', 'expired', 'cancelled', 'refunded'];

export function funnel(snapshot: SnapshotView, tenant: TenantView | undefined): Funnel {
  return tenant === undefined ? ofAll(snapshot) : ofOne(tenant);
}

function ofAll(snapshot: SnapshotView): Funnel {
  const missing = snapshot.tenants.filter((one) => one.payments === null);
  const rows = snapshot.payments.map((row) => ({
    state: row.state,
    count: row.count,
    stuck: row.stuck,
    oldest: row.oldest_stuck,
  }));
  const names = missing.slice(0, 3).map((one) => one.slug);
  const more = missing.length > names.length ? ` and ${missing.length - names.length} more` : '';
  const of = snapshot.tenants.length;
  const unknown =
    missing.length === 0
      ? undefined
      : `Counted over ${of - missing.length} of ${of} tenants. Could not read ${names.join(', ')}${more}.`;
  return { rows: sorted(rows), unknown };
}

function ofOne(tenant: TenantView): Funnel {
  if (tenant.payments === null) return { rows: [], unknown: tenant.detail };
  const waiting = tenant.payments['initiated'] === undefined ? undefined : 'initiated';
  const rows = Object.entries(tenant.payments).map(([state, count]) => ({
    state,
    count,
    stuck: state === waiting ? tenant.stuck_payments : 0,
    oldest: state === waiting ? (tenant.oldest_stuck_payment ?? null) : null,
  }));
  return { rows: sorted(rows), unknown: tenant.stuck_payments === null ? tenant.detail : undefined };
}

function sorted(rows: FunnelRow[]): FunnelRow[] {
  const place = (state: string): number => (ORDER.includes(state) ? ORDER.indexOf(state) : ORDER.length);
  return rows.sort((a, b) => place(a.state) - place(b.state) || a.state.localeCompare(b.state));
}
