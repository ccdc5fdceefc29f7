import { oneLine, truncate } from '../../report/text.ts';

/** A value on one line. Texts stand as they are, unless they would be taken for something else: `"5"` is no number. */
export function showValue(data: unknown, width = 80): string {
  if (typeof data !== 'string') return truncate(oneLine(JSON.stringify(data) ?? 'null'), width);
  const isPlain =
    data !== '' && data === oneLine(data) && !/^(["'[]|{(?!{)|null$|true$|false$|-?\d+(\.\d+)?$)/.test(data);
  return truncate(isPlain ? data : oneLine(JSON.stringify(data)), width);
}
