import { RunbookError } from '../base/errors.ts';
import type { Masker } from '../base/masker.ts';
import type { PlayOptions } from './play.ts';

/** Options of a run that whoever resumes it may give again, or must: passwords and secret variables are never kept. */
export type GivenAgain = Pick<
  PlayOptions,
  | 'extraVars'
  | 'output'
  | 'askPass'
  | 'askBecomePass'
  | 'becomePasswordFile'
  | 'identity'
  | 'vaultPasswordFile'
  | 'vaultId'
  | 'askVaultPass'
  | 'report'
>;

/** What of a run's options is kept, so that it can be resumed without saying them again. */
export interface KeptOptions extends Omit<PlayOptions, Exclude<keyof GivenAgain, 'extraVars' | 'becomePasswordFile'>> {
  readonly command: 'play';
  /** Variables that were left out, since they may be secret: as they are called, or how they were given. */
  readonly withheld: readonly string[];
}

const secretName = /pass|secret|token|key|credential|auth/i;

/** The options of a run as its journal keeps them. */
export function keptOptions(options: PlayOptions, masker: Pick<Masker, 'mask'>): KeptOptions {
  const { output: _o, askPass: _p, askBecomePass: _b, identity: _i, report: _r, ...rest } = options;
  const { vaultPasswordFile: _v, vaultId: _d, askVaultPass: _a, ...kept } = rest;
  const isKept = (text: string): boolean => text.startsWith('@') || (!isSecret(text) && masker.mask(text) === text);
  return {
    command: 'play',
    ...kept,
    extraVars: options.extraVars.filter(isKept),
    withheld: options.extraVars.filter((text) => !isKept(text)).map(nameOf),
  };
}

/**
 * The options of a run that is resumed. Raises `usage` where it was no `runbook play`, and where a variable has to be given
 * again.
 */
export function restoreOptions(id: string, kept: Partial<KeptOptions>, given: GivenAgain): PlayOptions {
  if (kept.command !== 'play')
    throw new RunbookError('usage', `the run ${id} cannot be resumed: it was no "runbook play"`);
  const { command: _, withheld = [], ...options } = kept as KeptOptions;
  const names = new Set(given.extraVars.map(nameOf));
  const missing = withheld.filter((name) => !names.has(name));
  if (missing.length > 0) {
    throw new RunbookError('usage', `-e ${missing.join(', -e ')}: not kept, since it may be secret`, {
      hint: `give it again: runbook resume ${id} -e ${missing[0]}=…`,
    });
  }
  const { becomePasswordFile, ...others } = given;
  return {
    ...options,
    ...others,
    ...(becomePasswordFile !== undefined && { becomePasswordFile }),
    extraVars: [...options.extraVars, ...given.extraVars],
  };
}

function isSecret(text: string): boolean {
  // What stands in a JSON text cannot be told apart.
  return text.trimStart().startsWith('{') ? secretName.test(text) : secretName.test(nameOf(text));
}

function nameOf(text: string): string {
  return text.trimStart().startsWith('{') ? '{…}' : text.slice(0, text.indexOf('='));
}
