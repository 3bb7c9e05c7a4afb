/** A plan's conditions, target and commands as lines of text. */
import type { PlanView, TargetIdentity } from '../host/generated/wire';
import { plural, valueText } from '../kit/format';
import { instructionText } from './waiting';

/** `redis is container 4b0d99e1c2aa, exited` or what a guard makes sure of. */
export function preconditionText(condition: Record<string, unknown>): string {
  if (condition['kind'] === 'container') {
    const service = valueText(condition['service']);
    const id = condition['id'];
    if (typeof id !== 'string') return `${service} has no container`;
    const state = typeof condition['state'] === 'string' ? `, ${condition['state']}` : '';
    return `${service} is container ${id.slice(0, 12)}${state}, from the same start`;
  }
  if (condition['kind'] === 'rows') {
    const rows = Array.isArray(condition['rows']) ? condition['rows'] : [];
    const found = rows.length === 0 ? 'no row' : plural(rows.length, 'row');
    return `step ${valueText(condition['step'])}: ${valueText(condition['what'])} (${found})`;
  }
  const found = condition['found'] ?? condition['facts'];
  const of = (name: string): unknown => (found as Record<string, unknown> | undefined)?.[name];
  if (condition['kind'] === 'redis') {
    const field = condition['field'];
    const key = valueText(condition['key']);
    return `${field ? `${valueText(field)} of ` : ''}${key} is ${of('value') === null ? 'not there' : valueText(of('value'))}`;
  }
  if (condition['kind'] === 'file') {
    const path = valueText(of('path'));
    const print = of('fingerprint');
    return typeof print === 'string'
      ? `${path} is unchanged (${print.slice(0, 24)})`
      : `${path} is not there`;
  }
  if (condition['kind'] === 'volume') {
    const made = condition['created_at'];
    return `volume ${valueText(condition['volume'])} ${made ? `is the one made at ${valueText(made)}` : 'is not there'}`;
  }
  if (condition['kind'] === 'answer')
    return `step ${valueText(condition['step'])}: ${valueText(condition['what'])}`;
  return valueText(condition);
}

/** What makes the stack this one. A value is absent where its source could not be read. */
export function targetLines(target: TargetIdentity): { name: string; value: string | undefined }[] {
  return [
    { name: 'Project', value: target.compose_project },
    { name: 'Folder', value: target.compose_working_dir },
    { name: 'Docker Engine', value: target.docker_engine_id ?? undefined },
    { name: 'Database', value: target.postgres_database ?? undefined },
    { name: 'Postgres system', value: target.postgres_system_identifier ?? undefined },
    { name: 'Redis run', value: target.redis_run_id ?? undefined },
  ];
}

/** Rows that will be changed. What nobody can count beforehand is not called zero. */
export function rowsText({ impact, steps }: PlanView): string {
  const uncounted = impact.uncounted;
  if (impact.rows === undefined)
    return uncounted.length > 0 ? `can’t be counted: see ${stepsText(uncounted)}` : 'can’t be counted';
  if (impact.rows > 0) return `${plural(impact.rows, 'row')} will change`;
  return steps.some((step) => step.kind === 'sql') ? 'no row is expected to change' : 'none';
}

/** The services whose containers are touched. A whole project has them all, named or not. */
export function servicesText({ impact, steps, target }: PlanView): string {
  if (impact.services.length > 0) return impact.services.join(', ');
  return steps.some((step) => step.kind === 'project') ? `all of project ${target.compose_project}` : 'none';
}

/** Whether something is lost for good: such a plan is confirmed by nothing that happens by accident. */
export function isDestructive(plan: PlanView): boolean {
  return plan.confirm.kind === 'phrase' || plan.steps.some((step) => step.risk === 'destructive');
}

/** The steps that change something, by whether they can be taken back. */
export function takenBack(plan: PlanView): { can: number[]; cannot: number[] } {
  const acting = plan.steps.filter((step) => step.risk !== 'read');
  return {
    can: acting.filter((step) => step.undo !== undefined).map((step) => step.n),
    cannot: acting.filter((step) => step.undo === undefined).map((step) => step.n),
  };
}

/** `What step 2 changes`, `What steps 2 and 3 change`. */
export function whatChanges(numbers: readonly number[]): string {
  return `What ${stepsText(numbers)} ${numbers.length === 1 ? 'changes' : 'change'}`;
}

/** `step 2`, `steps 2, 3 and 7`. */
export function stepsText(numbers: readonly number[]): string {
  const last = numbers.at(-1);
  const before = numbers.slice(0, -1).join(', ');
  return before === '' ? `step ${last}` : `steps ${before} and ${last}`;
}

/** For a shell, one step after the other; what only a person can do stands as a comment. */
export function asCommands(plan: PlanView): string {
  const lines = [
    `# ${oneLine(plan.title)} (plan ${plan.plan_id}, digest ${plan.digest.slice(0, 12)})`,
    `# project ${oneLine(plan.target.compose_project)}; these commands check nothing that the console would check`,
    'set -eu',
  ];
  for (const step of plan.steps) {
    lines.push('', `# ${step.n}. ${oneLine(step.title)}`);
    lines.push(...step.facts.map((fact) => `#    ${oneLine(fact)}`));
    lines.push(...step.instructions.map((line, i) => `#    ${i + 1}. ${oneLine(instructionText(line))}`));
    // Of a step by hand the command is its instructions once more.
    if (step.command !== '' && step.kind !== 'manual') lines.push(step.command);
    // A shell must not come to what loses data without the backup that the console makes and tries.
    if (step.kind === 'backup')
      lines.push(
        `echo 'step ${step.n} is a backup, and these commands do not make it: make it, then take this line out' >&2; exit 1`,
      );
  }
  return `${lines.join('\n')}\n`;
}

/** A comment must not run on into a command. */
function oneLine(text: string): string {
  return text.replace(/[\r\n\u0085\u2028\u2029]+/g, ' ');
}
