// Hosts × tasks. Only what can be seen is in the document: a page of a thousand hosts is as quick as one of three.

const sizes = { row: 26, play: 24, minHead: 64, maxHead: 172, minColumn: 30, maxColumn: 72, overscan: 3 };

/**
 * @typedef {object} Matrix
 * @property {(view: View) => void} show
 * @property {(host: number, task: number) => void} goTo
 * @property {(row: number, column: number) => void} move moves the active cell by so many rows and columns
 * @property {(isWhole: boolean) => void} drawWhole for print: everything, not only what can be seen
 */

/**
 * Draws the matrix into a grid, whose one focus is told by aria-activedescendant.
 * @param {HTMLElement} grid
 * @param {{ open: (host: number, task: number) => void, active: (host: number, task: number) => void }} told
 * @returns {Matrix}
 */
function createMatrix(grid, told) {
  /** @type {View} */
  let view = { hosts: [], tasks: [], findings: [] };
  let active = { row: 0, column: 0 };
  let column = sizes.minColumn;
  let nameHeight = sizes.maxHead;
  let isWhole = false;
  /** What is drawn just now; drawn anew when it is another. */
  let drawnColumns = '';
  /** @type {Map<number, HTMLElement>} */
  const rows = new Map();
  const sheet = element('div', { class: 'sheet', role: 'presentation' });
  const head = element('div', { class: 'sheet-head', role: 'row', 'aria-rowindex': '1' });
  grid.append(sheet);

  grid.addEventListener('scroll', () => requestAnimationFrame(draw), { passive: true });
  grid.addEventListener('click', (event) => {
    const place = placeOf(event.target);
    if (!place) return;
    setActive(place.row, place.column);
    openActive();
  });
  grid.addEventListener('keydown', onKey);
  new ResizeObserver(() => {
    layOut();
    draw();
  }).observe(grid);

  /** @param {View} next */
  function show(next) {
    view = next;
    active = { row: clamp(active.row, view.hosts.length), column: clamp(active.column, view.tasks.length) };
    grid.setAttribute('aria-rowcount', String(view.hosts.length + 1));
    grid.setAttribute('aria-colcount', String(view.tasks.length + 1));
    grid.scrollTop = Math.min(grid.scrollTop, view.hosts.length * sizes.row);
    layOut();
    draw();
  }

  /** Columns as wide as there is room for, names as high as the longest needs. */
  function layOut() {
    const room = grid.clientWidth - nameWidth() - 2;
    const even = Math.floor(room / Math.max(1, view.tasks.length));
    column = Math.max(sizes.minColumn, Math.min(sizes.maxColumn, even));
    const longest = Math.max(0, ...view.tasks.map((task) => data.tasks[task]?.name.length ?? 0));
    nameHeight = Math.max(sizes.minHead, Math.min(sizes.maxHead, longest * 7 + 24));
    sheet.style.setProperty('--name', `${nameWidth()}px`);
    sheet.style.setProperty('--head', `${nameHeight}px`);
    sheet.style.width = `${nameWidth() + view.tasks.length * column}px`;
    sheet.style.height = `${headHeight() + view.hosts.length * sizes.row}px`;
    rows.clear();
    drawnColumns = '';
    sheet.replaceChildren(head);
  }

  function draw() {
    if (view.hosts.length === 0 || view.tasks.length === 0) return drawNothing();
    const [firstRow, lastRow] = seen(grid.scrollTop, grid.clientHeight - headHeight(), sizes.row, view.hosts.length);
    const columns = seen(grid.scrollLeft, grid.clientWidth - nameWidth(), column, view.tasks.length);
    if (columns.join() !== drawnColumns) {
      drawnColumns = columns.join();
      for (const row of rows.values()) row.remove();
      rows.clear();
      drawHead(columns);
    }
    for (const [index, row] of rows) {
      if (index >= firstRow && index <= lastRow) continue;
      row.remove();
      rows.delete(index);
    }
    for (let index = firstRow; index <= lastRow; index++) if (!rows.has(index)) addRow(index, columns);
    markActive();
  }

  function drawNothing() {
    const text = data.tasks.length === 0 ? 'No task has run.' : 'Nothing fits these filters.';
    sheet.replaceChildren(element('p', { class: 'empty' }, [text]));
    grid.removeAttribute('aria-activedescendant');
  }

  /**
   * The first and the last of equal things that can be seen, and a few around them.
   * @param {number} from @param {number} room @param {number} size @param {number} total
   * @returns {[number, number]}
   */
  function seen(from, room, size, total) {
    if (isWhole) return [0, total - 1];
    const first = Math.floor(from / size) - sizes.overscan;
    const last = Math.ceil((from + Math.max(0, room)) / size) + sizes.overscan;
    return [Math.max(0, first), Math.min(total - 1, last)];
  }

  /** @param {[number, number]} columns */
  function drawHead([first, last]) {
    const corner = element('div', { class: 'corner', role: 'columnheader', 'aria-colindex': '1' }, [
      element('span', {}, ['Host']),
    ]);
    const made = [corner, ...playBands(first, last)];
    for (let index = first; index <= last; index++) {
      const task = data.tasks[view.tasks[index] ?? -1];
      const name = element('span', { class: 'task-name' }, [task?.name ?? '']);
      const cell = element('div', headAttributes(index), [name]);
      cell.title = `${task?.name}\n${task?.play} · ${task?.module}\n${task?.place}`;
      cell.style.left = `${nameWidth() + index * column}px`;
      cell.style.width = `${column}px`;
      made.push(cell);
    }
    head.replaceChildren(...made);
    if (head.parentElement !== sheet) sheet.prepend(head);
  }

  /** @param {number} index */
  function headAttributes(index) {
    const isHandler = data.tasks[view.tasks[index] ?? -1]?.isHandler ? ' is-handler' : '';
    return {
      class: `head${isHandler}`,
      role: 'columnheader',
      'aria-colindex': String(index + 2),
      'data-head': String(index),
    };
  }

  /** A band over the tasks of each play. @param {number} first @param {number} last */
  function playBands(first, last) {
    /** @type {HTMLElement[]} */
    const bands = [];
    for (let index = first; index <= last; ) {
      const play = playAt(index);
      let end = index;
      while (end + 1 <= last && playAt(end + 1) === play) end++;
      const band = element('div', { class: 'play', 'aria-hidden': 'true' }, [element('span', {}, [play])]);
      band.title = play;
      band.style.left = `${nameWidth() + index * column}px`;
      band.style.width = `${(end - index + 1) * column}px`;
      bands.push(band);
      index = end + 1;
    }
    return bands;
  }

  /** @param {number} index */
  function playAt(index) {
    return data.tasks[view.tasks[index] ?? -1]?.play ?? '';
  }

  /** @param {number} index @param {[number, number]} columns */
  function addRow(index, [first, last]) {
    const host = view.hosts[index] ?? -1;
    const { name, standing } = data.hosts[host] ?? { name: '', standing: 'ok' };
    const row = element('div', { class: 'row', role: 'row', 'aria-rowindex': String(index + 2) });
    row.style.top = `${headHeight() + index * sizes.row}px`;
    const header = element('div', { class: 'host', role: 'rowheader', 'aria-colindex': '1' }, [
      element('span', { class: `dot s-${standing}`, 'aria-hidden': 'true' }),
      element('span', { class: 'host-name' }, [name]),
    ]);
    header.title = `${name}: ${wordOf(standing)}`;
    const cells = [header];
    for (let at = first; at <= last; at++) cells.push(cellAt(index, at, host, name));
    row.append(...cells);
    rows.set(index, row);
    sheet.append(row);
  }

  /** @param {number} row @param {number} at @param {number} host @param {string} name */
  function cellAt(row, at, host, name) {
    const task = view.tasks[at] ?? -1;
    const outcome = outcomeAt(host, task);
    const said = outcome ? wordOf(outcome) : 'did not come to it';
    const cell = element(
      'div',
      {
        ...{
          class: `cell o-${outcome ?? 'none'}${playAt(at) !== playAt(at - 1) ? ' begins-play' : ''}`,
          role: 'gridcell',
        },
        ...{
          id: `cell-${row}-${at}`,
          'aria-colindex': String(at + 2),
          'data-row': String(row),
          'data-column': String(at),
        },
        'aria-label': `${name}, ${data.tasks[task]?.name}: ${said}`,
      },
      [element('span', { 'aria-hidden': 'true' }, [outcome ? signs[outcome] : ''])],
    );
    cell.style.left = `${nameWidth() + at * column}px`;
    cell.style.width = `${column}px`;
    return cell;
  }

  function markActive() {
    grid.querySelector('.is-active')?.classList.remove('is-active');
    for (const old of grid.querySelectorAll('.is-near')) old.classList.remove('is-near');
    const cell = document.getElementById(`cell-${active.row}-${active.column}`);
    if (!cell) return grid.removeAttribute('aria-activedescendant');
    cell.classList.add('is-active');
    cell.parentElement?.firstElementChild?.classList.add('is-near');
    head.querySelector(`[data-head="${active.column}"]`)?.classList.add('is-near');
    grid.setAttribute('aria-activedescendant', cell.id);
  }

  /** @param {number} row @param {number} at */
  function setActive(row, at) {
    active = { row: clamp(row, view.hosts.length), column: clamp(at, view.tasks.length) };
    bringIntoView();
    draw();
    const [host, task] = activePlace();
    if (host !== undefined && task !== undefined) told.active(host, task);
  }

  function activePlace() {
    return [view.hosts[active.row], view.tasks[active.column]];
  }

  function openActive() {
    const [host, task] = activePlace();
    if (host !== undefined && task !== undefined) told.open(host, task);
  }

  function bringIntoView() {
    const top = active.row * sizes.row;
    const roomBelow = grid.clientHeight - headHeight() - sizes.row;
    grid.scrollTop = Math.min(top, Math.max(grid.scrollTop, top - roomBelow));
    const left = active.column * column;
    const roomBeside = grid.clientWidth - nameWidth() - column;
    grid.scrollLeft = Math.min(left, Math.max(grid.scrollLeft, left - roomBeside));
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    if (event.altKey || event.metaKey) return;
    const page = Math.max(1, Math.floor((grid.clientHeight - headHeight()) / sizes.row) - 1);
    const { row, column: at } = active;
    const end = event.ctrlKey ? view.hosts.length - 1 : row;
    /** @type {Readonly<Record<string, () => void>>} */
    const acts = {
      ArrowUp: () => setActive(row - 1, at),
      ArrowDown: () => setActive(row + 1, at),
      ArrowLeft: () => setActive(row, at - 1),
      ArrowRight: () => setActive(row, at + 1),
      PageUp: () => setActive(row - page, at),
      PageDown: () => setActive(row + page, at),
      Home: () => setActive(event.ctrlKey ? 0 : row, 0),
      End: () => setActive(end, view.tasks.length - 1),
      Enter: openActive,
      ' ': openActive,
      n: nextDifference,
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  /** The next cell, in reading order, that needs a look; after the last one the first. */
  function nextDifference() {
    const { hosts, tasks } = view;
    const total = hosts.length * tasks.length;
    const here = active.row * tasks.length + active.column;
    for (let step = 1; step <= total; step++) {
      const place = (here + step) % total;
      const row = Math.floor(place / tasks.length);
      const at = place % tasks.length;
      if (isWanted(differences, hosts[row] ?? -1, tasks[at] ?? -1)) return setActive(row, at);
    }
  }

  /** @param {EventTarget | null} target */
  function placeOf(target) {
    const cell = target instanceof Element ? target.closest('.cell') : null;
    if (!(cell instanceof HTMLElement)) return undefined;
    return { row: Number(cell.dataset.row), column: Number(cell.dataset.column) };
  }

  /** Names take less room where there is little of it. */
  function nameWidth() {
    return grid.clientWidth < 560 ? 112 : 200;
  }

  function headHeight() {
    return sizes.play + nameHeight;
  }

  return {
    show,
    goTo(host, task) {
      setActive(Math.max(0, view.hosts.indexOf(host)), Math.max(0, view.tasks.indexOf(task)));
    },
    move: (row, at) => setActive(active.row + row, active.column + at),
    drawWhole(whole) {
      isWhole = whole;
      layOut();
      draw();
    },
  };
}

/** @param {number} n @param {number} length */
function clamp(n, length) {
  return Math.max(0, Math.min(length - 1, n));
}
