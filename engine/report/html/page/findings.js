// What there is to say, by task, equal things once. Long lists grow as they are asked for.

/** How many entries a list shows before it is asked for more. */
const listStep = 200;

/** @param {HTMLElement} panel @param {(finding: PageFinding) => void} look */
function createFindings(panel, look) {
  let shown = listStep;

  /** @param {readonly PageFinding[]} findings */
  function show(findings) {
    if (findings.length === 0) {
      const isAll = data.findings.length === 0;
      const text = isAll ? 'Every host is as the playbook wants it.' : 'No finding fits these filters.';
      return panel.replaceChildren(element('p', { class: 'empty' }, [text]));
    }
    /** @type {Map<number, HTMLElement>} */
    const sections = new Map();
    for (const finding of findings.slice(0, shown)) {
      const section = sections.get(finding.task) ?? taskSection(finding.task);
      sections.set(finding.task, section);
      section.append(findingElement(finding));
    }
    panel.replaceChildren(
      ...sections.values(),
      ...moreButton(findings.length - shown, 'finding', () => {
        shown += listStep;
        show(findings);
      }),
    );
  }

  /** @param {PageFinding} finding */
  function findingElement(finding) {
    const head = element('p', { class: 'finding-head' }, [
      badge(outcomeOfKind[finding.kind]),
      element('strong', { class: 'finding-count' }, [countOf(finding.hosts.length, 'host')]),
      ...(finding.item === undefined ? [] : [element('code', { class: 'finding-item' }, [finding.item])]),
      lookButton(finding),
    ]);
    const parts = [head];
    for (const index of finding.changes) {
      const change = data.changes[index];
      if (change) parts.push(changeElement(change));
    }
    if (finding.message !== undefined) parts.push(element('pre', { class: 'message' }, [finding.message]));
    if (finding.hint !== undefined) parts.push(element('p', { class: 'hint' }, [`Hint: ${finding.hint}`]));
    parts.push(element('p', { class: 'names' }, [finding.names]));
    return element('article', { class: `finding o-${outcomeOfKind[finding.kind]}-edge` }, parts);
  }

  /** @param {PageFinding} finding */
  function lookButton(finding) {
    const button = element('button', { type: 'button', class: 'button' }, ['In the matrix']);
    button.addEventListener('click', () => look(finding));
    return button;
  }

  return {
    show,
    showAll(/** @type {readonly PageFinding[]} */ findings) {
      shown = Math.max(shown, 2000);
      show(findings);
    },
  };
}

/** @param {number} index */
function taskSection(index) {
  const task = data.tasks[index];
  return element('section', { class: 'task' }, [
    element('h2', {}, [task?.name ?? '']),
    element('p', { class: 'task-facts' }, [
      `${task?.play} · ${task?.module} · `,
      element('code', {}, [task?.place ?? '']),
    ]),
  ]);
}

/** @param {number} left @param {string} word @param {() => void} act */
function moreButton(left, word, act) {
  if (left <= 0) return [];
  const button = element('button', { type: 'button', class: 'button more' }, [
    `Show more: ${countOf(left, word)} left`,
  ]);
  button.addEventListener('click', act);
  return [button];
}
