// Changes and results as elements.

/** @param {PageChange} change */
function changeElement(change) {
  const path = element('code', { class: 'change-path' }, [change.path]);
  if (!change.diff) {
    return element('div', { class: 'change' }, [
      path,
      element('div', { class: 'values' }, [
        element('del', { class: 'before' }, [change.before ?? '']),
        element('span', { class: 'arrow', 'aria-label': 'becomes' }, ['→']),
        element('ins', { class: 'after' }, [change.after ?? '']),
      ]),
    ]);
  }
  const lines = change.diff.map((line) => element('span', { class: `line ${lineKind(line)}` }, [`${line}\n`]));
  return element('div', { class: 'change' }, [path, element('pre', { class: 'diff', tabindex: '0' }, lines)]);
}

/** @param {string} line */
function lineKind(line) {
  if (line.startsWith('--- ') || line.startsWith('+++ ')) return 'file';
  if (line.startsWith('@@')) return 'hunk';
  if (line.startsWith('+')) return 'added';
  return line.startsWith('-') ? 'removed' : 'same';
}

/** A result in full; of a loop, its turns. @param {PageResult} result @returns {HTMLElement[]} */
function resultElements(result) {
  if (result.items.length > 0) {
    return result.items.flatMap((index) => {
      const item = data.results[index];
      if (!item) return [];
      const title = element('h3', { class: 'item' }, [
        badge(item.outcome),
        ' ',
        element('code', {}, [item.item ?? '']),
      ]);
      return [title, ...resultElements(item)];
    });
  }
  const parts = result.changes.flatMap((index) => {
    const change = data.changes[index];
    return change ? [changeElement(change)] : [];
  });
  if (result.message !== undefined)
    parts.unshift(element('pre', { class: `message o-${result.outcome}-text` }, [result.message]));
  if (result.hint !== undefined) parts.push(element('p', { class: 'hint' }, [`Hint: ${result.hint}`]));
  if (result.unverified !== undefined)
    parts.push(element('p', { class: 'hint' }, [`Cannot be verified: ${result.unverified}`]));
  return parts;
}

/** An outcome in a word and its colour. @param {Outcome} outcome */
function badge(outcome) {
  return element('span', { class: `badge o-${outcome}` }, [wordOf(outcome)]);
}
