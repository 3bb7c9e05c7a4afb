/** One tenant, one conversation, one payment and the list of payments, as the fake host has them. */
import type {
  PaymentDetail,
  PaymentRow,
  PaymentsPage,
  PaymentsQuery,
  TenantDetail,
  TenantView,
  ThreadDetail,
} from '../generated/wire';
import { HostError } from '../host';
import { ago } from './stack';

const THREAD = '01KAVXTHREAD00000000000017';

function rows(): PaymentRow[] {
  return [
    row('amani_salon', 'initiated', 312, true),
    row('amani_salon', 'paid', 86_400 * 3, false, 0),
    row('zuri_spa', 'cancelled', 7_200, false, 1032),
    row('jua_auto', 'initiated', 21, false),
  ];
}

function row(
  tenant: string,
  state: string,
  age: number,
  stuck: boolean,
  code: number | null = null,
): PaymentRow {
  const serial = String(age).padStart(12, '0');
  return {
    tenant,
    id: `07000000-0000-4000-8000-${serial}`,
    state,
    age_s: age,
    stuck,
    amount_minor: 50_000,
    currency: 'KES',
    msisdn: '•••678',
    checkout_request_id: `ws_CO_2411202611500${serial.slice(-4)}•••678`,
    thread_id: THREAD,
    created_at: ago(age),
    updated_at: ago(state === 'initiated' ? age : age - 20),
    result_code: code,
  };
}

/** Stuck ones first, then the oldest. */
export function paymentsPage(query: PaymentsQuery): PaymentsPage {
  const { tenant: slug, state, older_than_s: age, limit, offset } = query;
  const asked = rows().filter(
    (one) =>
      (slug ?? one.tenant) === one.tenant &&
      (state ?? one.state) === one.state &&
      (one.age_s ?? 0) > (age ?? -1),
  );
  asked.sort((a, b) => Number(b.stuck) - Number(a.stuck) || (b.age_s ?? 0) - (a.age_s ?? 0));
  return {
    taken_at: ago(0),
    total: asked.length,
    stuck: asked.filter((one) => one.stuck).length,
    offset,
    rows: asked.slice(offset, offset + limit),
    unread: [],
    limits: [],
  };
}

export function payment(id: string): PaymentDetail {
  const found = rows().find((one) => one.id === id || one.checkout_request_id === id);
  if (found === undefined)
    throw new HostError({
      code: 'not_found',
      message: `show the payment ${id}: no tenant has a payment or push of that id`,
      hint: 'Take an id of the list.',
    });
  const made = found.created_at ?? ago(0);
  return {
    taken_at: ago(0),
    payments: [
      {
        ...found,
        merchant_request_id: '29115-34620561-1',
        result_desc: found.result_code === 1032 ? 'Request cancelled by user' : null,
        has_receipt: found.state === 'paid',
        routing: {
          known: {
            checkout_request_id: found.checkout_request_id,
            tenant: found.tenant,
            payment_id: found.id,
            thread_id: found.thread_id,
            created_at: made,
          },
        },
        callbacks: { known: [] },
        thread: { known: null },
        booking: { unknown: 'bookings: permission denied for table bookings' },
        query: {
          asked: false,
          why: "not asked, as each question counts against the app's quota",
          command: `diagnose 07-payment-pending-timeout -p tenant=${found.tenant}`,
        },
        timeline: [
          {
            at: made,
            kind: 'push',
            source: 'postgres',
            place: 'payments',
            what: `made; pushed to •••678 as ${found.checkout_request_id ?? ''}`,
          },
          {
            at: made,
            kind: 'routing',
            source: 'postgres',
            place: 'public.payment_routing',
            what: `its callback is led to ${found.tenant}`,
          },
          { at: null, kind: 'query', source: 'http', place: 'Daraja', what: 'not asked' },
        ],
        limits: ['booking: permission denied for table bookings'],
      },
    ],
    strays: [],
    unread: [],
    limits: [],
  };
}

export function thread(id: string): ThreadDetail {
  if (id !== THREAD)
    throw new HostError({
      code: 'not_found',
      message: `show the thread ${id}: neither Redis nor any tenant's payments or checkpoints have it`,
      hint: 'A tenant names its stuck threads.',
    });
  return {
    id,
    taken_at: ago(0),
    began_at: ago(900),
    state: 'COLLECT_SLOT',
    tenant: 'amani_salon',
    now: {
      known: {
        state: 'COLLECT_SLOT',
        tenant: 'amani_salon',
        channel: 'whatsapp',
        intent: 'book_hair',
        reprompts: 3,
        entered_at: ago(640),
        updated_at: ago(20),
        age_s: 640,
        stuck: true,
        payment_id: null,
      },
    },
    places: [
      {
        tenant: 'amani_salon',
        payments: { known: rows().filter((one) => one.tenant === 'amani_salon') },
        checkpoints: {
          known: {
            count: 2,
            latest: [checkpoint(1, 'COLLECT_SLOT', 640), checkpoint(0, 'GREET', 900)],
          },
        },
      },
    ],
    unread: [],
    lines: [],
    lines_note: `see ratibactl logs --thread ${id}`,
    limits: [],
  };
}

function checkpoint(step: number, state: string, age: number) {
  const id = `1f1e9a06-9ef${String(step)}-69ae-bffe-93cf1e443274`;
  return { checkpoint_id: id, ns: '', at: ago(age), step, made_by: 'loop', state };
}

export function tenant(slug: string, known: TenantView[]): TenantDetail {
  const view = known.find((one) => one.slug === slug);
  if (view === undefined)
    throw new HostError({
      code: 'not_found',
      message: `find the tenant ${slug}: it is neither registered nor has it a schema`,
      hint: 'Open the overview.',
    });
  const unknown = { unknown: view.detail };
  const stuck = view.stuck_threads ?? 0;
  return {
    slug,
    taken_at: ago(0),
    schema: `tenant_${slug}`,
    has_schema: true,
    registry: {
      known: {
        name: view.name,
        vertical: view.vertical,
        is_active: true,
        callback_url: `https://ratiba.example.co.ke/payments/callback/${slug}`,
        shortcode: '174379',
        created_at: ago(86_400 * 90),
      },
    },
    threads:
      view.threads === null
        ? unknown
        : {
            known: {
              by_state: view.threads,
              stuck,
              stuck_threads:
                stuck > 0 ? [{ id: THREAD, state: 'COLLECT_SLOT', reprompts: 3, age_s: 640 }] : [],
              unreadable: 0,
            },
          },
    payments:
      view.payments === null
        ? unknown
        : {
            known: {
              by_state: view.payments,
              stuck: view.stuck_payments ?? 0,
              oldest_stuck: view.oldest_stuck_payment ?? null,
            },
          },
    knowledge: {
      known: { active: 12, active_limit: 20, tokens_estimate: 640, tokens_limit: 1_500, is_over: false },
    },
    staff: { known: { active: 3, total: 4 } },
    schedules: { known: 16 },
    blocks_14d: { known: 2 },
    checkpoints: { known: { rows_estimate: 18_400, is_analysed: true, bytes: 9_437_184 } },
    limits: [],
  };
}
