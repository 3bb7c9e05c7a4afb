/** Every scenario by name. */
import { ACTING } from './acting';
import { LOGGING } from './logs';
import { longLists, notRemembered, portClash } from './manual';
import type { Scenario } from './scenario';
import { WATCHING } from './scenarios';

const MAKERS = {
  ...WATCHING,
  ...ACTING,
  ...LOGGING,
  'port-clash': portClash,
  'long-lists': longLists,
  'not-remembered': notRemembered,
};
export type ScenarioName = keyof typeof MAKERS;
export const SCENARIOS = Object.keys(MAKERS) as ScenarioName[];

export function scenario(name: ScenarioName): Scenario {
  return MAKERS[name]();
}
