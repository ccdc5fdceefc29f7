// Which hosts, tasks and findings are shown.

/**
 * @typedef {object} Filter
 * @property {string} hosts a host pattern: names, globs, ranges, `!` for all but
 * @property {string} tasks a text
 * @property {ReadonlySet<Outcome>} outcomes empty: all
 * @property {ReadonlySet<Standing>} standings empty: all
 * @property {boolean} onlyDifferences
 * @property {boolean} worstFirst
 */

/**
 * What is left to be shown, as places in the page's data.
 * @typedef {object} View
 * @property {readonly number[]} hosts
 * @property {readonly number[]} tasks
 * @property {readonly PageFinding[]} findings
 */

/** @param {Filter} filter @returns {View} */
function viewOf(filter) {
  const isNamed = hostTest(filter.hosts);
  const isTask = taskTest(filter.tasks);
  const named = indexes(data.hosts.length).filter((host) => {
    const { name, standing } = data.hosts[host] ?? { name: '', standing: 'ok' };
    return isNamed(name) && (filter.standings.size === 0 || filter.standings.has(standing));
  });
  const tasks = indexes(data.tasks.length).filter(isTask);
  const wanted = wantedOutcomes(filter);
  const hosts = wanted ? named.filter((host) => tasks.some((task) => isWanted(wanted, host, task))) : named;
  return {
    hosts: filter.worstFirst ? sortByStanding(hosts) : hosts,
    tasks: wanted ? tasks.filter((task) => hosts.some((host) => isWanted(wanted, host, task))) : tasks,
    findings: findingsIn(new Set(named), new Set(tasks), wanted),
  };
}

/** @param {ReadonlySet<number>} hosts @param {ReadonlySet<number>} tasks @param {ReadonlySet<Outcome> | undefined} wanted */
function findingsIn(hosts, tasks, wanted) {
  return data.findings.filter(
    (finding) =>
      tasks.has(finding.task) &&
      (!wanted || wanted.has(outcomeOfKind[finding.kind])) &&
      finding.hosts.some((host) => hosts.has(host)),
  );
}

/** The outcomes that a cell must have to be looked for; undefined: any. @param {Filter} filter */
function wantedOutcomes({ outcomes: chosen, onlyDifferences }) {
  if (chosen.size > 0) return chosen;
  return onlyDifferences ? differences : undefined;
}

/** @param {ReadonlySet<Outcome>} wanted @param {number} host @param {number} task */
function isWanted(wanted, host, task) {
  const outcome = outcomeAt(host, task);
  return outcome !== undefined && wanted.has(outcome);
}

/** @param {readonly number[]} hosts */
function sortByStanding(hosts) {
  const rank = (/** @type {number} */ host) => standings.indexOf(data.hosts[host]?.standing ?? 'ok');
  return [...hosts].sort((a, b) => rank(a) - rank(b) || a - b);
}

/**
 * Reads a host pattern as an inventory's: terms apart by blanks or commas; `n[01:20]`, `*` and `?`; `!` leaves out. A term
 * with none of these is looked for anywhere in the name.
 * @param {string} pattern
 * @returns {(name: string) => boolean}
 */
function hostTest(pattern) {
  const terms = pattern.split(/[\s,]+/).filter((term) => term !== '' && term !== '!');
  const taken = terms.filter((term) => !term.startsWith('!')).map(termTest);
  const leftOut = terms.filter((term) => term.startsWith('!')).map((term) => termTest(term.slice(1)));
  return (name) => (taken.length === 0 || taken.some((test) => test(name))) && !leftOut.some((test) => test(name));
}

/** @param {string} term @returns {(name: string) => boolean} */
function termTest(term) {
  if (!/[*?[]/.test(term)) return (name) => name.toLowerCase().includes(term.toLowerCase());
  /** @type {[number, number][]} */
  const ranges = [];
  const source = term.replace(/\[(\d+):(\d+)\]|[*]|[?]|[^\w]/g, (piece, from, to) => {
    if (piece === '*') return '.*';
    if (piece === '?') return '.';
    if (from === undefined) return `\\${piece}`;
    ranges.push([Number(from), Number(to)]);
    return '(\\d+)';
  });
  const whole = new RegExp(`^${source}$`, 'i');
  return (name) => {
    const numbers = whole.exec(name)?.slice(1).map(Number);
    return numbers?.every((n, i) => n >= (ranges[i]?.[0] ?? n) && n <= (ranges[i]?.[1] ?? n)) ?? false;
  };
}

/** @param {string} text @returns {(task: number) => boolean} */
function taskTest(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return (index) => {
    const task = data.tasks[index];
    const said = task ? `${task.name} ${task.module} ${task.play} ${task.place}`.toLowerCase() : '';
    return words.every((word) => said.includes(word));
  };
}

/** @param {number} length */
function indexes(length) {
  return Array.from({ length }, (_, i) => i);
}
