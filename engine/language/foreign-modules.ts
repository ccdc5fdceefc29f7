const packages = 'use package, which knows apt; elsewhere shell, with unless or creates to say when it is done';
const lines = 'use config-file for settings, file-template or copy for whole files';

/** Modules that people know from Ansible, with what does the same here. */
const foreign: Readonly<Record<string, string>> = {
  service: 'use systemd',
  systemd_service: 'use systemd',
  sysvinit: 'use systemd',
  template: 'use file-template: Handlebars instead of Jinja2',
  ...Object.fromEntries(
    ['apt', 'yum', 'dnf', 'dnf5', 'package', 'pip', 'apk', 'zypper', 'pacman', 'snap', 'npm', 'gem'].map((name) => [
      name,
      packages,
    ]),
  ),
  ...Object.fromEntries(['lineinfile', 'blockinfile', 'replace', 'ini_file', 'xml'].map((name) => [name, lines])),
  unarchive: 'use tar-install, which also fetches the archive',
  get_url: 'use tar-install for archives, else shell with curl and creates',
  uri: 'use command with curl; to wait for an answer, wait-for',
  stat: 'use shell with "test -e …", reads: true and ok_codes: [0, 1]',
  slurp: 'use command with cat and reads: true',
  fetch: 'use command with cat, reads: true and register',
  raw: 'use shell',
  script: 'use copy, then shell',
  expect: 'use shell',
  modprobe: 'use kernel-module',
  setup: 'facts are gathered by themselves where a task reads them',
  gather_facts: 'facts are gathered by themselves where a task reads them',
  service_facts: 'use systemd and its result, units',
  package_facts: 'use command with reads: true',
  ping: 'use command: {cmd: "true", reads: true}',
  reboot: 'use shell with "systemctl reboot", then wait-for on localhost',
  wait_for_connection: 'use wait-for, delegated to localhost',
  hostname: 'use shell with hostnamectl, and unless',
  cron: 'use copy to /etc/cron.d, or a timer with systemd',
  mount: 'use config-file and shell',
  git: 'use shell with git, and unless',
  include_vars: 'use vars_files',
  include_role: 'use import_role, with when',
  k8s_drain: 'use the lease kubectl-drain: "lease: {kubectl-drain: {node: …}}" on a block',
  k8s: 'use command with kubectl, delegated to localhost',
  docker_image: 'use container-image',
  synchronize: 'use copy for files, tar-install for trees',
};

/** What to use instead of a module of Ansible's, which may be written with its collection. */
export function foreignModuleHint(name: string): string | undefined {
  const short = name.split('.').at(-1) ?? name;
  return Object.hasOwn(foreign, short) ? foreign[short] : undefined;
}
