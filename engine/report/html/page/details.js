// What a task came to on one host.

/**
 * @param {HTMLElement} panel
 * @param {{ close: () => void, move: (row: number, column: number) => void }} acts
 */
function createDetails(panel, acts) {
  /** @param {number} host @param {number} task */
  function show(host, task) {
    const ref = data.tasks[task];
    const results = resultsAt(host, task);
    const outcome = outcomeAt(host, task);
    const body = results.flatMap(resultElements);
    if (body.length === 0) body.push(element('p', { class: 'nothing' }, [nothingText(outcome)]));
    panel.replaceChildren(
      bar(),
      element('p', { class: 'kicker' }, [
        `${ref?.play ?? ''} · ${ref?.module ?? ''}${ref?.isHandler ? ' · handler' : ''}`,
      ]),
      element('h2', { id: 'details-title' }, [ref?.name ?? '']),
      element('p', { class: 'details-host' }, [
        ...(outcome ? [badge(outcome), ' '] : []),
        element('strong', {}, [data.hosts[host]?.name ?? '']),
        ...delegation(results),
      ]),
      ...body,
      ...alike(host, task),
      element('p', { class: 'place' }, [element('code', {}, [ref?.place ?? ''])]),
    );
    panel.hidden = false;
    panel.scrollTop = 0;
  }

  function bar() {
    const close = element('button', { type: 'button', class: 'button close', title: 'Esc' }, ['Close']);
    close.addEventListener('click', acts.close);
    return element('div', { class: 'details-bar' }, [
      step('Previous host', '↑', -1, 0),
      step('Next host', '↓', 1, 0),
      step('Previous task', '←', 0, -1),
      step('Next task', '→', 0, 1),
      close,
    ]);
  }

  /** @param {string} label @param {string} sign @param {number} row @param {number} column */
  function step(label, sign, row, column) {
    const button = element('button', { type: 'button', class: 'button', 'aria-label': label, title: label }, [sign]);
    button.addEventListener('click', () => acts.move(row, column));
    return button;
  }

  return { show };
}

/** Other hosts of which the same is to be said. @param {number} host @param {number} task */
function alike(host, task) {
  const shared = data.findings.filter(
    (finding) => finding.task === task && finding.hosts.length > 1 && finding.hosts.includes(host),
  );
  const [widest] = [...shared].sort((a, b) => b.hosts.length - a.hosts.length);
  if (!widest) return [];
  return [
    element('p', { class: 'alike' }, [
      element('strong', {}, [`The same on ${countOf(widest.hosts.length, 'host')}: `]),
      element('span', { class: 'names' }, [widest.names]),
    ]),
  ];
}

/** @param {readonly PageResult[]} results */
function delegation(results) {
  const other = results.find((result) => result.delegatedTo !== undefined)?.delegatedTo;
  return other === undefined ? [] : [element('span', { class: 'delegated' }, [` ran on ${other}`])];
}

/** @param {Outcome | undefined} outcome */
function nothingText(outcome) {
  if (outcome === undefined) return 'The host did not come to this task.';
  if (outcome === 'ok') return 'It is as the playbook wants it.';
  return outcome === 'skipped' ? 'It was skipped.' : 'No more is known.';
}
