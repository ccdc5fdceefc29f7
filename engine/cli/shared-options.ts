import { InvalidArgumentError, Option } from 'commander';

/** Where hosts come from. Each command says for itself what it does `without` one. */
export function inventoryOption(without: string): Option {
  const taken = 'file, folder, program, or list of hosts with a comma ("n1,n2,"); repeatable, later ones win';
  return list('-i, --inventory <source>', `${taken}; none: ${without}`);
}

/** Narrows the hosts down. */
export function limitOption(): Option {
  return new Option('-l, --limit <pattern>', 'only hosts that match this pattern');
}

/** Narrows the tasks down. */
export function tagOptions(): readonly Option[] {
  return [
    new Option('-t, --tags <tags>', 'only tasks with one of these tags, separated by commas')
      .argParser(appendList)
      .default([]),
    new Option('--skip-tags <tags>', 'no tasks with one of these tags').argParser(appendList).default([]),
  ];
}

/** Variables of the command line. */
export function extraVarsOption(): Option {
  return list('-e, --extra-vars <vars>', 'name=text, @file.yaml or {json}; over every other value; repeatable');
}

/** Modules of the user's, for a command that reads a playbook: those beside it are loaded anyway. */
export function playbookModulesOption(): Option {
  return list('--modules <folder>', 'folder of custom modules, besides modules/ next to the playbook; repeatable');
}

/** Modules of the user's, for a command without a playbook. */
export function modulesOption(): Option {
  return list('--modules <folder>', 'folder of custom modules; repeatable');
}

/** How many hosts are worked on at the same time, unless somebody says otherwise. */
export const defaultForks = 50;

/** How many hosts are worked on at the same time. */
export function forksOption(): Option {
  return new Option('-f, --forks <n>', 'hosts worked on at the same time').argParser(positive).default(defaultForks);
}

/** Reads a whole number from 1. */
export function positive(value: string): number {
  if (!/^[1-9]\d{0,5}$/.test(value)) throw new InvalidArgumentError('It must be a whole number from 1.');
  return Number(value);
}

/** The parser of an option that takes a number from 0. */
export function wholeNumber(value: string): number {
  if (!/^\d{1,6}$/.test(value)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(value);
}

/** How many hosts may be lost before a run is stopped, as options give it. */
export interface BudgetOptions {
  readonly maxFailures?: number;
  readonly maxFailPercentage?: number;
}

/** What stops a run. A play's own limit counts where it is lower. */
export function budgetOptions(): readonly Option[] {
  return [
    new Option('--max-failures <n>', 'start no further host when so many failed or were unreachable').argParser(
      positive,
    ),
    new Option('--max-fail-percentage <p>', 'likewise when so many percent of a batch, or of all hosts, did').argParser(
      percentage,
    ),
  ];
}

/** What a run request takes of them. */
export function budgetIn({ maxFailures, maxFailPercentage }: BudgetOptions): BudgetOptions {
  return {
    ...(maxFailures !== undefined && { maxFailures }),
    ...(maxFailPercentage !== undefined && { maxFailPercentage }),
  };
}

function percentage(value: string): number {
  const [, amount] = /^(\d{1,3}(?:\.\d+)?)%?$/.exec(value) ?? [];
  if (amount === undefined || Number(amount) > 100)
    throw new InvalidArgumentError('It must be a number from 0 to 100.');
  return Number(amount);
}

/** The page of a run. */
export function reportOption(): Option {
  return new Option('--report <file>', 'write an HTML page of hosts × tasks, with diffs; it needs no network');
}

/** An option that can be repeated. */
export function list(flags: string, description: string): Option {
  return new Option(flags, description).argParser(append).default([]);
}

function append(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** Collects names that commas separate. Refuses a value without any: an unset variable of a script must not run everything. */
function appendList(value: string, before: readonly string[]): readonly string[] {
  const names = value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0) throw new InvalidArgumentError('It names no tag.');
  return [...before, ...names];
}
