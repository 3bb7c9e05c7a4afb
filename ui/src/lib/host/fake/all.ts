/** Every scenario by name. */
import { ACTING } from './acting';
import type { Scenario } from './scenario';
import { WATCHING } from './scenarios';

const MAKERS = { ...WATCHING, ...ACTING };
export type ScenarioName = keyof typeof MAKERS;
export const SCENARIOS = Object.keys(MAKERS) as ScenarioName[];

export function scenario(name: ScenarioName): Scenario {
  return MAKERS[name]();
}
