/** `--color`. */
export type ColorMode = 'auto' | 'always' | 'never';

/** Colours for text; every function gives text back unchanged when colours are off. */
export interface Paint {
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly bold: (text: string) => string;
}

/** Makes a {@link Paint}. Lines are painted one by one, so that a pager or a cut never leaves a colour switched on. */
export function createPaint(isColored: boolean): Paint {
  const style = (on: number, off: number): ((text: string) => string) => {
    if (!isColored) return (text) => text;
    return (text) => text.replace(/^.+$/gm, (line) => `\u001b[${on}m${line}\u001b[${off}m`);
  };
  return {
    red: style(31, 39),
    green: style(32, 39),
    yellow: style(33, 39),
    cyan: style(36, 39),
    dim: style(2, 22),
    bold: style(1, 22),
  };
}

/** Whether to colour: the option first, then `NO_COLOR` (https://no-color.org), `FORCE_COLOR`, and what the stream is. */
export function wantsColor(mode: ColorMode, env: NodeJS.ProcessEnv, isTTY: boolean): boolean {
  if (mode !== 'auto') return mode === 'always';
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return !['0', 'false'].includes(env.FORCE_COLOR);
  return isTTY && env.TERM !== 'dumb';
}
