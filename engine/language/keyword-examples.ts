/** How each keyword is written, as YAML: for the reference page, and for what editors show. Each is loaded by a test. */
export const keywordExamples: Readonly<Record<string, string>> = {
  name: 'name: The configuration of the web server',
  when: `
when: facts.os.family == "debian" && !check_mode
# all of them:
when: [port > 1024, 'zone in ["a", "b"]']`,
  vars: `
vars:
  port: 8080
  url: 'http://{{ inventory_hostname }}:{{ port }}/'`,
  environment: "environment: { HTTPS_PROXY: '{{ proxy }}' }",
  tags: 'tags: [config, never]',
  become: 'become: true',
  become_user: 'become_user: postgres',
  delegate_to: 'delegate_to: localhost',
  no_log: 'no_log: true',
  timeout: 'timeout: 5m',
  throttle: 'throttle: 2',
  module_defaults: `
module_defaults:
  copy: { owner: root, mode: '0644' }`,
  hosts: 'hosts: web:&zone_a:!web-3',
  order: 'order: sorted',
  inputs: `
inputs:
  version: { type: string, pattern: '^1\\.', description: The release to install }
  replicas: { type: integer, minimum: 1, default: 3 }`,
  vars_prompt: `
vars_prompt:
  - { name: token, prompt: Token of the registry }
  - { name: zone, prompt: Which zone, private: false, default: a }`,
  vars_files: 'vars_files: [vars/common.yaml, vars/secrets.yaml]',
  serial: `
serial: [1, 3, "30%"]
# or:
serial: { window: 3 }`,
  max_per_group: 'max_per_group: { by: zone, n: 1 }',
  strategy: 'strategy: free',
  any_errors_fatal: 'any_errors_fatal: true',
  max_failures: 'max_failures: 3',
  max_fail_percentage: 'max_fail_percentage: 10',
  bake: `
serial: [1, 3, "20%"]
bake:
  seconds: 300
  tasks:
    - { name: Healthy, shell: { cmd: check-health, reads: true }, retries: 5 }`,
  force_handlers: 'force_handlers: true',
  gather_facts: 'gather_facts: false',
  pre_tasks: `
pre_tasks:
  - shell: { cmd: drain-from-lb }`,
  roles: `
roles:
  - common
  - role: web
    vars: { port: 8080 }
    when: is_web`,
  tasks: `
tasks:
  - name: The configuration
    copy: { src: web.conf, dest: /etc/web.conf }`,
  post_tasks: `
post_tasks:
  - shell: { cmd: back-to-lb }`,
  handlers: `
handlers:
  - name: restart web
    systemd: { name: web, state: restarted }`,
  register: 'register: disk',
  loop: `
loop: [overlay, br_netfilter]
# or:
loop: '{{ modules }}'`,
  loop_control: `
loop: '{{ users }}'
loop_control: { loop_var: user, index_var: i, label: '{{ user.name }}', pause: 2 }`,
  notify: 'notify: restart web',
  listen: 'listen: web changed',
  run_once: `
run_once: true
# or:
run_once: batch`,
  until: `
register: health
until: health.rc == 0
retries: 10
delay: 3`,
  retries: `
until: health.rc == 0
retries: 10`,
  delay: `
until: health.rc == 0
delay: 500ms`,
  changed_when: `
register: out
changed_when: out.stdout.contains("updated")`,
  failed_when: `
register: out
failed_when: out.rc > 1`,
  ignore_errors: 'ignore_errors: true',
  delegate_facts: `
delegate_to: localhost
delegate_facts: true`,
  block: `
block:
  - shell: { cmd: migrate }
rescue:
  - shell: { cmd: roll-back }
always:
  - shell: { cmd: clean-up }`,
  rescue: `
block:
  - shell: { cmd: migrate }
rescue:
  - shell: { cmd: roll-back }`,
  always: `
block:
  - shell: { cmd: migrate }
always:
  - shell: { cmd: clean-up }`,
  lease: `
lease:
  kubectl-drain: { node: '{{ node_name }}' }
  delegate_to: localhost
block:
  - systemd: { name: kubelet, state: restarted }`,
  on_failure: `
kubectl-drain: { node: '{{ node_name }}' }
on_failure: keep`,
  import_tasks: 'import_tasks: tasks/web.yaml',
  include_tasks: "include_tasks: 'tasks/{{ facts.os.family }}.yaml'",
  import_role: `
import_role: web
vars: { port: 8080 }`,
  import_playbook: `
import_playbook: web.yaml
vars: { port: 8080 }`,
  meta: 'meta: flush_handlers',
  role: `
role: web
vars: { port: 8080 }`,
};
