import { type Diagnostic, didYouMean } from '../base/diagnostic.ts';
import type { Range } from '../base/source.ts';
import { isAddressWithColons, isHostName, parseAddress } from './address.ts';
import { addHost, type DraftGroup, type DraftHost } from './draft.ts';
import { expandRanges } from './ranges.ts';
import type { ReadingContext } from './reading.ts';

/**
 * Reads a host with its ranges and port and puts all that it stands for into a group; without one, into `ungrouped` where
 * it is new. Used for the lines of INI, for the keys of YAML, and for `-i host1,host2,`.
 */
export function readHosts(
  context: ReadingContext,
  group: DraftGroup | undefined,
  text: string,
  range: Range,
): readonly DraftHost[] {
  const { name, start, port } = parseAddress(text);
  const fail = (message: string, hint?: string, from = 0, to = text.length): readonly DraftHost[] => {
    const place = placeOf(range, text, from, to);
    context.report({ severity: 'error', message, ...(hint !== undefined && { hint }), range: place });
    return [];
  };
  if (name === '') return fail('the name of a host is missing');
  if (name === '---') return fail('"---" begins a YAML file; this is read as INI');
  if (port && (Number(port.text) < 1 || Number(port.text) > 65_535)) {
    return fail(`a port is a number from 1 to 65535, not ${port.text}`, undefined, port.start);
  }
  const colon = isAddressWithColons(name) ? -1 : strayColon(name);
  if (colon !== -1) {
    const word = name.slice(colon + 1);
    return word === ''
      ? fail('the port after ":" is missing', undefined, start + colon)
      : fail(`a port is a number, not "${word}"`, undefined, start + colon + 1);
  }
  const expansion = expandRanges(name);
  if ('message' in expansion) {
    return fail(expansion.message, expansion.hint, start + expansion.start, start + expansion.end);
  }
  if (!isHostName(expansion.names[0] ?? '') && !isAddressWithColons(name)) {
    const doubt = describeOddName(name, range);
    // Ansible would take the port for a part of the name.
    if (port) return fail(`no host on a network can have the name "${name}"`, doubt.hint);
    context.report(doubt);
  }
  const place = port && placeOf(range, text, port.start, text.length);
  return placeHosts(
    context,
    group,
    expansion.names,
    range,
    port && { number: Number(port.text), range: place ?? range },
  );
}

/** A part of a name in the file, around which there may be quotes; all of it when it was written otherwise. */
function placeOf(range: Range, text: string, from: number, to: number): Range {
  const offset = range.source.text.slice(range.start, range.end).indexOf(text);
  return offset === -1 ? range : { ...range, start: range.start + offset + from, end: range.start + offset + to };
}

function placeHosts(
  context: ReadingContext,
  group: DraftGroup | undefined,
  names: readonly string[],
  range: Range,
  port: { readonly number: number; readonly range: Range } | undefined,
): readonly DraftHost[] {
  const value = port && context.compile(port.number, port.range);
  return names.map((name) => {
    const known = context.draft.hosts.get(name);
    const host = known && !group ? known : addHost(context.draft, group?.name ?? 'ungrouped', name, range);
    if (!port || !value) return host;
    if (!known) host.variables.set('ansible_port', value);
    else if (host.variables.get('ansible_port')?.written !== port.number) {
      // Ansible's rule, and silent there: the port belongs to the line that names a host first.
      context.report({
        severity: 'warning',
        message: `the port has no effect: "${name}" was named before`,
        hint: `write ansible_port=${port.number}`,
        range: port.range,
      });
    }
    return host;
  });
}

function describeOddName(name: string, range: Range): Diagnostic {
  const [user, host] = name.split('@');
  const hint = host ? `for the user write: ${host} ansible_user=${user}` : didYouMean(name, ['localhost']);
  const message = `"${name}" is taken as the name of a host, though no host on a network can have it`;
  return { severity: 'warning', message, range, ...(hint !== undefined && { hint }) };
}

/** Where the last colon stands that belongs to no range; -1 if there is none. */
function strayColon(name: string): number {
  return name.replace(/\[[^\]]*\]/g, (range) => '_'.repeat(range.length)).lastIndexOf(':');
}
