// The page: what is asked for, and where it is shown.

const matrixElement = byId('matrix');
const detailsElement = byId('details');
const filters = /** @type {HTMLFormElement} */ (byId('filters'));
const hostFilter = /** @type {HTMLInputElement} */ (byId('filter-hosts'));
const taskFilter = /** @type {HTMLInputElement} */ (byId('filter-tasks'));
const onlyDifferences = /** @type {HTMLInputElement} */ (byId('filter-differences'));
const worstFirst = /** @type {HTMLInputElement} */ (byId('filter-sort'));
/** @type {Set<Outcome>} */
const chosenOutcomes = new Set();
/** @type {Set<Standing>} */
const chosenStandings = new Set();
const panels = ['matrix', 'findings', 'hosts'];
let panel = 'matrix';
/** @type {View} */
let view = { hosts: [], tasks: [], findings: [] };

const matrix = createMatrix(matrixElement, { open: openDetails, active: showHere });
const details = createDetails(detailsElement, { close: closeDetails, move: (row, column) => matrix.move(row, column) });
const findingList = createFindings(byId('panel-findings'), lookAt);
const hostList = createHosts(byId('panel-hosts'));

drawMasthead();
drawStandings();
drawChips();
drawTheme();
connect();
update();

function connect() {
  filters.addEventListener('input', update);
  filters.addEventListener('submit', (event) => event.preventDefault());
  filters.addEventListener('reset', () => {
    chosenOutcomes.clear();
    chosenStandings.clear();
    // The fields are empty only after the event.
    setTimeout(update);
  });
  for (const name of panels) byId(`tab-${name}`).addEventListener('click', () => showPanel(name));
  byId('tab-matrix').parentElement?.addEventListener('keydown', onTabKey);
  document.addEventListener('keydown', onKey);
  window.addEventListener('beforeprint', () => drawForPrint(true));
  window.addEventListener('afterprint', () => drawForPrint(false));
}

function update() {
  view = viewOf({
    hosts: hostFilter.value,
    tasks: taskFilter.value,
    outcomes: chosenOutcomes,
    standings: chosenStandings,
    onlyDifferences: onlyDifferences.checked,
    worstFirst: worstFirst.checked,
  });
  drawPressed();
  const { hosts, tasks } = data;
  byId('shown').textContent =
    `${view.hosts.length.toLocaleString('en')} of ${countOf(hosts.length, 'host')}, ` +
    `${view.tasks.length.toLocaleString('en')} of ${countOf(tasks.length, 'task')}`;
  byId('tab-findings').textContent = `Findings ${view.findings.length.toLocaleString('en')}`;
  showPanel(panel);
}

/** @param {string} name */
function showPanel(name) {
  panel = name;
  for (const other of panels) {
    const isShown = other === name;
    byId(`panel-${other}`).hidden = !isShown;
    const tab = byId(`tab-${other}`);
    tab.setAttribute('aria-selected', String(isShown));
    tab.tabIndex = isShown ? 0 : -1;
  }
  if (name === 'matrix') matrix.show(view);
  else closeDetails();
  if (name === 'findings') findingList.show(view.findings);
  if (name === 'hosts') hostList.show(view.hosts);
}

/** @param {number} host @param {number} task */
function openDetails(host, task) {
  details.show(host, task);
}

function closeDetails() {
  if (detailsElement.hidden) return;
  detailsElement.hidden = true;
  matrixElement.focus({ preventScroll: true });
}

/** @param {number} host @param {number} task */
function showHere(host, task) {
  const outcome = outcomeAt(host, task);
  const said = outcome ? wordOf(outcome) : 'did not come to it';
  byId('here').textContent = `${data.hosts[host]?.name} · ${data.tasks[task]?.name} · ${said}`;
  if (!detailsElement.hidden) details.show(host, task);
}

/** Goes to the first host of a finding. @param {PageFinding} finding */
function lookAt(finding) {
  const host = finding.hosts.find((one) => view.hosts.includes(one)) ?? -1;
  showPanel('matrix');
  matrix.goTo(host, finding.task);
  openDetails(host, finding.task);
  matrixElement.focus({ preventScroll: true });
}

function drawMasthead() {
  const { run } = data;
  const name = run.playbook.split('/').at(-1) ?? run.playbook;
  document.title = `${name}: ${run.meaning}`;
  byId('mode').textContent = run.isCheckMode ? 'Check mode: nothing was changed' : 'Run';
  byId('title').textContent = run.playbook;
  const when = run.startedAt.replace('T', ' ').replace(/\.\d+Z$/, ' UTC');
  byId('about').textContent = `${when} · ${durationText(run.durationMs)} · run ${run.id} · runbook ${run.version}`;
  const verdict = byId('verdict');
  verdict.textContent = `${run.stopReason === undefined ? '' : `${run.stopReason}; `}exit ${run.exitCode}: ${run.meaning}`;
  verdict.classList.add(run.exitCode === 0 ? 'is-good' : run.exitCode === 3 ? 'is-different' : 'is-bad');
}

function drawStandings() {
  const tiles = standings.flatMap((standing) => {
    const n = data.hosts.filter((host) => host.standing === standing).length;
    if (n === 0) return [];
    const share = Math.round((1000 * n) / data.hosts.length) / 10;
    const tile = element('button', { type: 'button', class: `tile s-${standing}-tile`, 'data-standing': standing }, [
      element('span', { class: 'tile-number' }, [n.toLocaleString('en')]),
      element('span', { class: 'tile-word' }, [wordOf(standing)]),
      element('span', { class: 'tile-share' }, [`${share} %`]),
    ]);
    tile.addEventListener('click', () => toggle(chosenStandings, standing));
    return [element('li', {}, [tile])];
  });
  byId('standings').replaceChildren(...tiles);
}

function drawChips() {
  const known = new Set(rowOutcomes.flat());
  const chips = outcomes
    .filter((outcome) => known.has(outcome))
    .map((outcome) => {
      const chip = element('button', { type: 'button', class: 'chip', 'data-outcome': outcome }, [
        element('span', { class: `sign o-${outcome}`, 'aria-hidden': 'true' }, [signs[outcome]]),
        wordOf(outcome),
      ]);
      chip.addEventListener('click', () => toggle(chosenOutcomes, outcome));
      return chip;
    });
  byId('filter-outcomes').replaceChildren(...chips);
}

function drawPressed() {
  for (const chip of document.querySelectorAll('[data-outcome]')) {
    const outcome = /** @type {Outcome} */ (chip.getAttribute('data-outcome'));
    chip.setAttribute('aria-pressed', String(chosenOutcomes.has(outcome)));
  }
  for (const tile of document.querySelectorAll('[data-standing]')) {
    const standing = /** @type {Standing} */ (tile.getAttribute('data-standing'));
    tile.setAttribute('aria-pressed', String(chosenStandings.has(standing)));
  }
}

/** @template T @param {Set<T>} set @param {T} value */
function toggle(set, value) {
  if (!set.delete(value)) set.add(value);
  update();
}

function drawTheme() {
  const button = byId('theme');
  const words = { auto: 'Theme: system', light: 'Theme: light', dark: 'Theme: dark' };
  /** @type {(keyof typeof words)[]} */
  const themes = ['auto', 'light', 'dark'];
  const root = document.documentElement;
  const set = (/** @type {keyof typeof words} */ theme) => {
    root.dataset.theme = theme;
    button.textContent = words[theme];
  };
  set('auto');
  button.addEventListener('click', () => {
    const at = themes.findIndex((theme) => theme === root.dataset.theme);
    set(themes[(at + 1) % themes.length] ?? 'auto');
  });
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const isTyping = event.target instanceof HTMLInputElement && event.target.type === 'search';
  if (event.key === 'Escape') {
    if (!detailsElement.hidden) closeDetails();
    else if (isTyping) matrixElement.focus();
  } else if (event.key === '/' && !isTyping && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    hostFilter.focus();
    hostFilter.select();
  } else if (event.key === 'Enter' && isTyping && panel === 'matrix') matrixElement.focus();
}

/** @param {KeyboardEvent} event */
function onTabKey(event) {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (by === undefined) return;
  const next = panels[(panels.indexOf(panel) + by + panels.length) % panels.length] ?? 'matrix';
  showPanel(next);
  byId(`tab-${next}`).focus();
}

/** On paper there is no scrolling: all findings and hosts, and the matrix where it is small. @param {boolean} isPaper */
function drawForPrint(isPaper) {
  const isSmall = view.hosts.length * view.tasks.length <= 3000 && view.tasks.length <= 30;
  document.documentElement.classList.toggle('prints-matrix', isPaper && isSmall);
  if (isSmall) matrix.drawWhole(isPaper);
  if (!isPaper) return;
  findingList.showAll(view.findings);
  hostList.showAll(view.hosts);
}
