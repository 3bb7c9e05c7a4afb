/**
 * The log that is looked at: one question, its lines, and what is written since. Lines that come while one reads are
 * counted and not shown, so that nothing moves. The newest 20,000 are shown, and 2,000 more may wait. No markup.
 */
import type { Histogram, LogLineView, LogNewsView, LogsView } from '../host/generated/wire';
import { asHostError, type Host, type HostError } from '../host/host';
import { counted, isSameLine, placeOf, rowsOf, withRows, type LogRow } from './log-lines';
import { canFollow, EVERYTHING, isSameQuestion, MOST, requestOf, type LogQuestion } from './log-question';

const NO_SPANS: Histogram = { span_s: 0, spans: [], untimed: 0 };
/** News of a question whose answer is still on its way; more than this comes again with the answer. */
const EARLY = 64;
/** New lines that wait to be shown; of more than these only the number is kept, and they are asked for anew. */
const HELD = 2_000;

/** What the log needs to know of the window. */
export interface Moment {
  /** From which the last minutes are counted. */
  readonly now: number;
  /** What is written goes on: not so in a bundle. */
  readonly isMoving: boolean;
}

export class Log {
  /** What is asked, as the fields show it. */
  question = $state.raw<LogQuestion>(EVERYTHING);
  /** What `rows` are the answer to. */
  answered = $state.raw<LogQuestion | undefined>();
  /** Rises with each answer: where the list stands is then found anew. */
  answers = $state(0);
  rows = $state.raw<readonly LogRow[]>([]);
  /** Lines that were asked for and are not among `rows`. */
  earlier = $state(0);
  histogram = $state.raw<Histogram>(NO_SPANS);
  /** What can be asked for. */
  services = $state.raw<readonly string[]>([]);
  notes = $state.raw<readonly string[]>([]);
  asking = $state(false);
  error = $state.raw<HostError | undefined>();
  /** What is wrong with the pattern; the lines are still those of before. */
  patternError = $state<string | undefined>();
  /** Nothing more comes of this question. */
  isOver = $state(false);
  /** The list stays at its end. */
  following = $state(true);
  /** New lines that are not shown yet. */
  unseen = $state(0);
  /** All that came since the answer. */
  arrived = $state(0);
  picked = $state.raw<LogRow | undefined>();
  detailsOpen = $state(false);

  readonly #host: Host;
  readonly #moment: () => Moment;
  #session: string | undefined;
  #asked = 0;
  #next = 0;
  #early: LogNewsView[] = [];
  #held: LogRow[] = [];
  /** More came while it was held than can be kept. */
  #isOverrun = false;
  /** The answer is waited for by one who wants to see its end. */
  #wantsEnd = false;
  #isAiming = false;
  #dismissed: string[] = [];

  constructor(host: Host, moment: () => Moment = () => ({ now: Date.now(), isMoving: true })) {
    this.#host = host;
    this.#moment = moment;
  }

  /** The question that the filters in sight belong to. */
  get inForce(): LogQuestion {
    return this.patternError === undefined ? this.question : (this.answered ?? this.question);
  }

  get canFollow(): boolean {
    return canFollow(this.inForce) && this.isMoving && !this.isOver;
  }

  /** More may be written. */
  get isMoving(): boolean {
    return this.#moment().isMoving;
  }

  /** Where the picked line is in `rows`; -1: nowhere. */
  get place(): number {
    return placeOf(this.rows, this.picked?.n);
  }

  async ask(question: LogQuestion = this.question): Promise<void> {
    const number = ++this.#asked;
    this.question = question;
    this.asking = true;
    this.#early = [];
    try {
      const { now, isMoving } = this.#moment();
      const request = requestOf(question, now);
      const view = await this.#host.call('logs', { ...request, follow: request.follow && isMoving });
      if (number === this.#asked) this.#answer(question, view);
      else this.#end(view.session);
    } catch (thrown) {
      if (number === this.#asked) this.#fail(question, asHostError(thrown));
    } finally {
      if (number === this.#asked) this.asking = false;
    }
  }

  /** The same question with other filters. One that could not be read is not asked again. */
  async filter(over: Partial<LogQuestion>): Promise<void> {
    const next = { ...this.question, grep: this.inForce.grep, ...over };
    if (isSameQuestion(next, this.question) && this.patternError === undefined && this.error === undefined)
      return;
    await this.ask(next);
  }

  /** Nobody looks any more. */
  close(): void {
    this.#asked += 1;
    this.asking = false;
    if (this.#session !== undefined) this.#end(this.#session);
    this.#session = undefined;
  }

  hear(news: LogNewsView): void {
    if (news.session === this.#session) this.#take(news);
    else if (this.asking && this.#early.length < EARLY) this.#early.push(news);
  }

  /** Stays where it is, whatever is written. */
  hold(): void {
    this.following = false;
  }

  /** Shows what came meanwhile, and goes on with what comes. */
  toEnd(): void {
    this.following = this.canFollow;
    this.#isAiming = false;
    this.#show();
  }

  /** While somebody aims with the pointer nothing moves under it. */
  aim(isAiming: boolean): void {
    if (this.#isAiming === isAiming) return;
    this.#isAiming = isAiming;
    if (!isAiming && this.following) this.#show();
  }

  pick(row: LogRow | undefined): void {
    this.picked = row;
  }

  /** Picks the line so many further on, from the end where none is picked. */
  move(by: number): void {
    const from = this.place === -1 ? this.rows.length : this.place;
    const to = Math.min(this.rows.length - 1, Math.max(0, from + by));
    this.hold();
    if (this.rows[to] !== undefined) this.picked = this.rows[to];
  }

  open(row: LogRow | undefined = this.picked): void {
    if (row === undefined) return;
    this.hold();
    this.picked = row;
    this.detailsOpen = true;
  }

  /** Somebody asks for something else altogether. */
  forget(): void {
    this.picked = undefined;
    this.detailsOpen = false;
  }

  dismiss(note: string): void {
    this.#dismissed.push(note);
    this.notes = this.notes.filter((one) => one !== note);
  }

  #answer(question: LogQuestion, view: LogsView): void {
    const early = this.#early.filter((news) => news.session === view.session);
    const before = this.picked?.line;
    this.#early = [];
    this.#held = [];
    this.#isOverrun = false;
    this.#isAiming = false;
    this.#dismissed = [];
    this.#session = view.session;
    this.answered = question;
    this.error = undefined;
    this.patternError = undefined;
    this.isOver = false;
    this.unseen = 0;
    this.arrived = 0;
    // The numbers go on: a row of this answer is not one of the last.
    this.rows = rowsOf(view.lines, this.#next);
    this.#next += view.lines.length;
    this.earlier = view.earlier;
    this.histogram = view.histogram;
    this.services = view.services;
    this.notes = once(view.notes);
    const again =
      before === undefined ? undefined : this.rows.findLast(({ line }) => isSameLine(line, before));
    this.picked = again ?? (this.detailsOpen ? this.picked : undefined);
    this.following = (again === undefined || this.#wantsEnd) && canFollow(question);
    this.#wantsEnd = false;
    this.answers += 1;
    early.forEach((news) => this.#take(news));
  }

  #fail(question: LogQuestion, error: HostError): void {
    const isPattern = error.code === 'usage' && question.grep !== '';
    this.patternError = isPattern ? error.message : undefined;
    this.error = isPattern ? undefined : error;
  }

  #take({ lines, notes, is_over }: LogNewsView): void {
    if (is_over) this.isOver = true;
    const fresh = notes.filter((note) => !this.notes.includes(note) && !this.#dismissed.includes(note));
    if (fresh.length > 0) this.notes = [...this.notes, ...once(fresh)];
    if (lines.length > 0) this.#append(lines);
  }

  #append(lines: readonly LogLineView[]): void {
    const more = rowsOf(lines, this.#next);
    this.#next += lines.length;
    this.arrived += lines.length;
    this.histogram = counted(this.histogram, lines);
    if (this.following && !this.#isAiming) {
      this.#keep(more);
      return;
    }
    this.unseen += lines.length;
    if (this.#isOverrun) return;
    this.#held.push(...more);
    if (this.#held.length <= HELD) return;
    this.#isOverrun = true;
    this.#held = [];
  }

  #keep(more: readonly LogRow[]): void {
    this.earlier += Math.max(0, this.rows.length + more.length - MOST);
    this.rows = withRows(this.rows, more, MOST);
  }

  #show(): void {
    if (this.#isOverrun) {
      this.#wantsEnd = true;
      void this.ask();
      return;
    }
    const held = this.#held;
    this.#held = [];
    this.unseen = 0;
    if (held.length > 0) this.#keep(held);
  }

  #end(session: string): void {
    this.#host.call('logs_close', { session }).catch(() => undefined);
  }
}

function once(texts: readonly string[]): string[] {
  return texts.filter((text, i) => texts.indexOf(text) === i);
}
