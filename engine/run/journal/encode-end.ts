import { createTextMapper } from '../../base/map-data.ts';
import type { Masker } from '../../base/masker.ts';
import type { Verdict } from '../judgement.ts';
import type { EncodedEnd } from './lines.ts';
import type { RecordedEnd } from './record.ts';
import { decodeValue, encodeValue, maskValue } from './values.ts';

/** The fields that hold values of hosts and of users. They are written together or not at all. */
type Values = Pick<RecordedEnd, 'registered' | 'facts' | 'set' | 'adds' | 'distrusted' | 'gathered'>;

/** How a task ended, as it can be written. */
export function encodeEnd(end: RecordedEnd, masker: Pick<Masker, 'mask'>): EncodedEnd {
  const { result, hasChangedItem, isLeftOut, isWithheld = false, ...values } = end;
  const { changes, ...rest } = result;
  const maskTexts = createTextMapper(masker.mask, (value) => value);
  const encoded = isWithheld ? undefined : encodeValue(values, masker);
  return {
    // Masking keeps the shape; the numbers of the rest are the engine's own.
    result: { ...(maskTexts(rest) as typeof rest), changes: maskValue(changes, masker) as typeof changes },
    ...(hasChangedItem && { hasChangedItem }),
    ...(isLeftOut && { isLeftOut }),
    ...(encoded === undefined ? { isWithheld: true } : { values: encoded }),
  };
}

/** How a task ended, as it was written. */
export function decodeEnd({ result, hasChangedItem, isLeftOut, values, isWithheld }: EncodedEnd): RecordedEnd {
  // What `encodeEnd` was given.
  const decoded = (values === undefined ? {} : decodeValue(values)) as Partial<Values>;
  return {
    registered: {},
    ...decoded,
    result,
    ...(hasChangedItem && { hasChangedItem }),
    ...(isLeftOut && { isLeftOut }),
    ...(isWithheld && { isWithheld }),
  };
}

/** What of a verdict is worth keeping: without a `register` nobody reads what was found. */
export function worthKeeping<V extends Verdict>(
  end: V,
  task: { readonly register?: string; readonly noLog: boolean },
): V {
  const isHidden = task.noLog && (task.register !== undefined || end.facts !== undefined);
  return {
    ...end,
    registered: task.register === undefined ? {} : end.registered,
    ...(isHidden && { isWithheld: true }),
  };
}
