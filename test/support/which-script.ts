/**
 * `modules/which-script.ts`: a module that changes nothing, and registers as `script` what the script is known by that it was
 * asked with. Those that are asked together have the same one.
 */
export const whichScript = `
import { defineModule, probe, sh } from 'runbook';
export default defineModule({
  name: 'which-script', summary: 'Tells with which script it was asked',
  schema: { type: 'object', additionalProperties: false, properties: {} },
  // The shell that runs the script, in its subshells, too.
  probe: () => probe(sh\`echo $$\`, ({ stdout }) => stdout.trim()), diff: () => [], *apply() {},
  result: (script) => ({ script }),
});`;

/** Names the scripts of those that were registered under these names, in a task called `scripts`. */
export function tellScripts(names: readonly string[]): string {
  return `{ name: scripts, debug: { message: "${names.map((name) => `{{ ${name}.script }}`).join(' ')}" } }`;
}
