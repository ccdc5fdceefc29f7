// What the page knows, and how it says it. These files are joined, in the order of page.ts, into one script; they share
// its scope and nothing leaves it.

/** @typedef {import('../page-data.ts').PageData} PageData */
/** @typedef {import('../page-data.ts').PageResult} PageResult */
/** @typedef {import('../page-data.ts').PageChange} PageChange */
/** @typedef {import('../page-data.ts').PageFinding} PageFinding */
/** @typedef {PageResult['outcome']} Outcome */
/** @typedef {PageData['hosts'][number]['standing']} Standing */

/** @type {PageData} */
const data = JSON.parse(byId('data').textContent ?? '');

/** Outcomes, the one to be looked at first at the beginning. @type {readonly Outcome[]} */
const outcomes = ['failed', 'unreachable', 'changed', 'unknown', 'rescued', 'ignored', 'ok', 'skipped'];

/** Outcomes that a person should look at. @type {ReadonlySet<Outcome>} */
const differences = new Set(['failed', 'unreachable', 'changed', 'unknown', 'rescued', 'ignored']);

/** Standings of hosts, worst first. @type {readonly Standing[]} */
const standings = ['failed', 'unreachable', 'rolled-back', 'interrupted', 'changed', 'unknown', 'not-started', 'ok'];

/** One sign an outcome: nobody has to tell colours apart. @type {Readonly<Record<Outcome, string>>} */
const signs = {
  failed: '×',
  unreachable: '!',
  changed: 'Δ',
  unknown: '?',
  rescued: 'r',
  ignored: 'i',
  ok: '·',
  skipped: '–',
};

/** @type {Readonly<Record<PageFinding['kind'], Outcome>>} */
const outcomeOfKind = {
  failed: 'failed',
  unreachable: 'unreachable',
  differs: 'changed',
  unknown: 'unknown',
  tolerated: 'ignored',
};

/** For each row that hosts share, the outcome of each task; undefined where they did not come to it. */
const rowOutcomes = data.rows.map((row) => row.map(worstOutcome));

/** The outcome of a task on a host. @param {number} host @param {number} task @returns {Outcome | undefined} */
function outcomeAt(host, task) {
  const row = data.hosts[host]?.row ?? -1;
  return rowOutcomes[row]?.[task];
}

/** The results of a task on a host. @param {number} host @param {number} task @returns {readonly PageResult[]} */
function resultsAt(host, task) {
  const entry = data.rows[data.hosts[host]?.row ?? -1]?.[task] ?? -1;
  return listOf(entry).flatMap((index) => data.results[index] ?? []);
}

/** @param {number | readonly number[]} entry @returns {Outcome | undefined} */
function worstOutcome(entry) {
  const found = listOf(entry).flatMap((index) => data.results[index]?.outcome ?? []);
  return outcomes.find((outcome) => found.includes(outcome));
}

/** @param {number | readonly number[]} entry @returns {readonly number[]} */
function listOf(entry) {
  return typeof entry === 'number' ? [entry] : entry;
}

/** What an outcome is called. @param {Outcome | Standing} outcome */
function wordOf(outcome) {
  if (outcome === 'not-started') return 'not started';
  if (outcome === 'rolled-back') return 'rolled back';
  return outcome === 'changed' && data.run.isCheckMode ? 'would change' : outcome;
}

/** `1 host`, `1,000 hosts`. @param {number} n @param {string} word */
function countOf(n, word) {
  return `${n.toLocaleString('en')} ${word}${n === 1 ? '' : 's'}`;
}

/** Milliseconds for people. @param {number} ms */
function durationText(ms) {
  if (ms < 1000) return `${ms} ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** @param {string} id @returns {HTMLElement} */
function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no ${id}`);
  return found;
}

/**
 * Makes an element. Text becomes a text node, never markup: what hosts have written stays text.
 * @param {string} tag
 * @param {Readonly<Record<string, string>>} attributes
 * @param {readonly (Node | string)[]} children
 */
function element(tag, attributes = {}, children = []) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
