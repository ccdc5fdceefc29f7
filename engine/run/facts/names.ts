import { type Diagnostic, didYouMean } from '../../base/diagnostic.ts';
import { factsSchema } from '../../language/facts-schema.ts';
import type { Registry } from '../../module/registry.ts';

/** The mistakes in what modules say of facts: a name that no fact has would make nothing untrue, and nobody would notice. */
export function mistakesInFactNames(registry: Registry): Diagnostic[] {
  const known = Object.keys(factsSchema.properties);
  const mistakes: Diagnostic[] = [];
  for (const name of registry.names()) {
    const module = registry.get(name);
    if (module?.kind !== 'resource') continue;
    for (const fact of module.invalidates ?? []) {
      if (known.includes(fact)) continue;
      const message = `${registry.origin(name)}: invalidates: there is no fact "${fact}"`;
      const hint = didYouMean(fact, known) ?? `the facts are: ${known.join(', ')}`;
      mistakes.push({ severity: 'error', message, hint });
    }
  }
  return mistakes;
}
