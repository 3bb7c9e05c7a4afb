/** A plan's conditions, target and commands as lines of text. */
import type { PlanView, TargetIdentity } from '../host/generated/wire';
import { plural, valueText } from '../kit/format';

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
  return valueText(condition);
}

export function targetLines(target: TargetIdentity): { name: string; value: string }[] {
  const known = (value: string | null): string => value ?? 'not compared';
  return [
    { name: 'Compose project', value: target.compose_project },
    { name: 'Working directory', value: target.compose_working_dir },
    { name: 'Docker Engine', value: known(target.docker_engine_id) },
    { name: 'Postgres system', value: known(target.postgres_system_identifier) },
    { name: 'Postgres database', value: known(target.postgres_database) },
    { name: 'Redis run', value: known(target.redis_run_id) },
  ];
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
    lines.push(...step.instructions.map((line) => `#    ${oneLine(line)}`));
    if (step.command !== '') lines.push(step.command);
  }
  return `${lines.join('\n')}\n`;
}

/** A comment must not run on into a command. */
function oneLine(text: string): string {
  return text.replace(/[\r\n\u0085\u2028\u2029]+/g, ' ');
}
