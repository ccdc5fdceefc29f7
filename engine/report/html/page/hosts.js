// The recap: every host's standing and how many tasks came to what.

/** @param {HTMLElement} panel */
function createHosts(panel) {
  let shown = listStep;

  /** @param {readonly number[]} hosts */
  function show(hosts) {
    const columns = outcomes.filter((outcome) => hosts.some((host) => countIn(host, outcome) > 0));
    const head = element('tr', {}, [
      element('th', { scope: 'col' }, ['Host']),
      element('th', { scope: 'col' }, ['State']),
      ...columns.map((outcome) => element('th', { scope: 'col', class: 'number' }, [wordOf(outcome)])),
      element('th', { scope: 'col' }, ['Why']),
    ]);
    const rows = sortByStanding(hosts)
      .slice(0, shown)
      .map((host) => hostRow(host, columns));
    const table = element('table', { class: 'hosts' }, [element('thead', {}, [head]), element('tbody', {}, rows)]);
    panel.replaceChildren(
      hosts.length === 0 ? element('p', { class: 'empty' }, ['No host fits these filters.']) : table,
      ...moreButton(hosts.length - shown, 'host', () => {
        shown += listStep;
        show(hosts);
      }),
    );
  }

  return {
    show,
    showAll(/** @type {readonly number[]} */ hosts) {
      shown = Math.max(shown, 2000);
      show(hosts);
    },
  };
}

/** @param {number} index @param {readonly Outcome[]} columns */
function hostRow(index, columns) {
  const host = data.hosts[index];
  const standing = host?.standing ?? 'ok';
  const why = host?.failure ? `${host.failure.task}: ${host.failure.message}` : '';
  return element('tr', {}, [
    element('th', { scope: 'row' }, [host?.name ?? '']),
    element('td', {}, [element('span', { class: `badge s-${standing}-badge` }, [wordOf(standing)])]),
    ...columns.map((outcome) => {
      const n = countIn(index, outcome);
      return element('td', { class: n === 0 ? 'number none' : 'number' }, [String(n)]);
    }),
    element('td', { class: 'why' }, [why]),
  ]);
}

/** How many tasks of a host came to an outcome. @param {number} host @param {Outcome} outcome */
function countIn(host, outcome) {
  const row = rowOutcomes[data.hosts[host]?.row ?? -1] ?? [];
  return row.filter((one) => one === outcome).length;
}
