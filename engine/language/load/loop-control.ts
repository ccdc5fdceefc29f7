import type { LoopControl } from '../playbook.ts';
import { describeNode, entryOf, type YamlMap } from '../yaml.ts';
import { type LoadContext, report } from './context.ts';
import { checkVariableName, readDurationMs, readText, readTextValue } from './fields.ts';
import type { Surroundings } from './surroundings.ts';
import { reportUnknown } from './unknown-keys.ts';

const usual: LoopControl = { variable: 'item', pauseMs: 0 };

/** What `loop_control` can hold. */
const parts = ['loop_var', 'index_var', 'label', 'pause'];

/** Reads the `loop_control` of a map and checks that its loop hides no name of what is around it. */
export function readLoopControl(context: LoadContext, map: YamlMap, inner: Surroundings): LoopControl {
  const loop = entryOf(map, 'loop');
  const control = readControl(context, map);
  if (!loop) return control;
  for (const name of [control.variable, control.indexVariable]) {
    if (name === undefined) continue;
    const place = placeOf(map, name) ?? loop.keyRange;
    if (inner.within.loopVariables.includes(name)) {
      const message = `"${name}" of this loop would hide that of the loop around it`;
      report(context, place, message, 'name it otherwise with loop_control: {loop_var: …, index_var: …}');
    } else if (inner.vars.some((layer) => layer.has(name))) {
      report(context, place, `"${name}" of this loop would hide the variable of that name`);
    }
  }
  return control;
}

/** The names that a loop with this control sets. */
export function loopNames(control: LoopControl): readonly string[] {
  return control.indexVariable === undefined ? [control.variable] : [control.variable, control.indexVariable];
}

function readControl(context: LoadContext, map: YamlMap): LoopControl {
  const entry = entryOf(map, 'loop_control');
  if (!entry) return usual;
  if (!entryOf(map, 'loop')) report(context, entry.keyRange, 'loop_control without a loop', 'add "loop:"');
  const { value } = entry;
  if (value.kind !== 'map') {
    report(context, value.range, `loop_control must be a map, not ${describeNode(value)}`, `with ${parts.join(', ')}`);
    return usual;
  }
  for (const part of value.entries) if (!parts.includes(part.key)) reportUnknown(context, part, parts, 'loop_control');
  const variable = readName(context, value, 'loop_var');
  const indexVariable = readName(context, value, 'index_var');
  const label = entryOf(value, 'label');
  const labelValue = label && readTextValue(context, label);
  const pause = entryOf(value, 'pause');
  if (indexVariable !== undefined && indexVariable === (variable ?? usual.variable)) {
    const range = entryOf(value, 'index_var')?.value.range ?? value.range;
    report(context, range, `index_var and loop_var are both "${indexVariable}"`);
  }
  return {
    variable: variable ?? usual.variable,
    ...(indexVariable !== undefined && { indexVariable }),
    ...(labelValue && { label: labelValue }),
    pauseMs: (pause && readDurationMs(context, pause)) ?? 0,
  };
}

/** The name of a variable; `item` is one here. */
function readName(context: LoadContext, control: YamlMap, key: string): string | undefined {
  const entry = entryOf(control, key);
  const name = entry && readText(context, entry);
  if (!entry || name === undefined) return undefined;
  return name === usual.variable || checkVariableName(context, name, entry.value.range) ? name : undefined;
}

function placeOf(map: YamlMap, name: string): YamlMap['range'] | undefined {
  const control = entryOf(map, 'loop_control')?.value;
  if (control?.kind !== 'map') return undefined;
  return control.entries.find(({ value }) => value.kind === 'scalar' && value.value === name)?.value.range;
}
