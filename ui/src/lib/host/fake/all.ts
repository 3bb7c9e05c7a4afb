/** Every scenario by name. */
import { ACTING } from './acting';
import { WATCHING, type Scenario } from './scenarios';

const MAKERS = { ...WATCHING, ...ACTING };
export type ScenarioName = keyof typeof MAKERS;
export const SCENARIOS = Object.keys(MAKERS) as ScenarioName[];

export function scenario(name: ScenarioName): Scenario {
  return MAKERS[name]();
}
