import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Playbooks that nobody wrote, for local hosts: whatever is chosen loads, and each host has a folder of its own. */

/** Numbers that decide; what shrinks them shrinks the playbook. */
export class Choices {
  readonly #numbers: readonly number[];
  #at = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  /** From 0 to `limit` - 1; 0 when the numbers are used up. */
  below(limit: number): number {
    return (this.#numbers[this.#at++] ?? 0) % limit;
  }

  of<T>(options: readonly [T, ...T[]]): T {
    return options[this.below(options.length)] ?? options[0];
  }

  /** True once in `times`. */
  rarely(times: number): boolean {
    return this.below(times) === times - 1;
  }
}

type Task = Record<string, unknown>;

/** A playbook with the files beside it, and what is on each host before it runs. */
export interface GeneratedPlaybook {
  readonly files: Readonly<Record<string, string>>;
  /** Text by path below the host's folder; null is a folder. */
  readonly before: Readonly<Record<string, string | null>>;
}

/** The host's folder; `DIR` is that of the test. */
const home = 'DIR/{{ inventory_hostname }}';
const paths = ['a', 'b', 'd/x', 'd/y', 'd/e/z', 'n/x', 'l'] as const;
const folders = ['d', 'd/e', 'n', 'a'] as const;
const contents = ['one\n', 'two\n'] as const;

/** Makes a playbook of `choices`, the archive of `writeArchive` beside it. */
export function generatePlaybook(choices: Choices): GeneratedPlaybook {
  const writer = new Writer(choices);
  const before: Record<string, string | null> = {};
  for (const path of paths) if (choices.rarely(3)) before[path] = choices.of(contents);
  if (choices.rarely(2)) before.d ??= null;
  before['settings.ini'] = '[one]\nkey = 1\n';
  const play = {
    hosts: 'web',
    tasks: writer.tasks(4 + choices.below(9), 0),
    handlers: ['first', 'second'].map((name) => ({
      name: `handler ${name}`,
      ...(name === 'first' ? writer.effect() : { shell: { cmd: 'true' } }),
    })),
  };
  return {
    before,
    files: {
      'play.yaml': JSON.stringify([play], null, 1),
      'templates/text.hbs': 'of {{ inventory_hostname }}{{#if check_value}} {{ check_value }}{{/if}}\n',
      'more.yaml': JSON.stringify([{ name: 'included', copy: { dest: `${home}/included`, content: 'x' } }]),
    },
  };
}

/** Puts what is there before the run into the folders of hosts. */
export async function writeHosts(
  folder: string,
  hosts: readonly string[],
  { before }: GeneratedPlaybook,
): Promise<void> {
  for (const host of hosts) {
    await mkdir(join(folder, host), { recursive: true });
    for (const [path, text] of Object.entries(before)) {
      const full = join(folder, host, path);
      await mkdir(text === null ? full : dirname(full), { recursive: true });
      if (text !== null) await writeFile(full, text);
    }
  }
}

/** `files/tool.tar.gz`: a program, a folder with a mode of its own, and a link. */
export async function writeArchive(folder: string): Promise<void> {
  const tree = join(folder, 'tree');
  await mkdir(join(tree, 'bin'), { recursive: true, mode: 0o750 });
  await writeFile(join(tree, 'bin/tool'), '#!/bin/sh\necho 1.0\n', { mode: 0o755 });
  await writeFile(join(tree, 'tool.conf'), 'x = 1\n', { mode: 0o640 });
  await mkdir(join(folder, 'files'), { recursive: true });
  execFileSync('ln', ['-s', 'tool', join(tree, 'bin/t')]);
  // The same bytes whenever it is made.
  const steady = ['--mtime=@0', '--sort=name', '--use-compress-program=gzip -n'];
  execFileSync('tar', ['-cf', join(folder, 'files/tool.tar.gz'), ...steady, '-C', tree, '.']);
}

/** A task whose result later conditions can ask. */
interface Known {
  readonly name: string;
  readonly hasOutput: boolean;
}

class Writer {
  readonly #choices: Choices;
  readonly #known: Known[] = [];
  #count = 0;
  #facts = 0;

  constructor(choices: Choices) {
    this.#choices = choices;
  }

  tasks(count: number, depth: number): Task[] {
    return Array.from({ length: count }, () => this.#node(depth));
  }

  /** A module with arguments that changes something, or would. */
  effect(): Task {
    return this.#choices.of([
      () => this.#copy(),
      () => this.#file(),
      () => this.#guarded(),
      () => this.#config(),
      () => this.#open(),
      () => this.#template(),
      () => this.#archive(),
      () => this.#made(),
    ])();
  }

  #node(depth: number): Task {
    const kind = this.#choices.below(12);
    if (kind === 11 && depth < 2) return this.#block(depth);
    if (kind === 10) return this.#fact();
    if (kind === 9) return this.#assertion();
    if (kind === 8) return this.#reading();
    if (kind === 7) return { include_tasks: 'more.yaml', ...this.#condition() };
    return this.#task();
  }

  #named(task: Task): Task {
    return { name: `t${++this.#count}`, ...task };
  }

  #task(): Task {
    const choices = this.#choices;
    const effect = this.effect();
    const task: Task = this.#named({ ...effect, ...this.#condition() });
    const isCommand = 'command' in effect || 'shell' in effect;
    if (choices.rarely(4)) task.notify = choices.of(['handler first', 'handler second']);
    if (choices.rarely(6)) task.ignore_errors = true;
    if (isCommand && choices.rarely(5)) task.changed_when = choices.of(['false', 'result.rc == 0']);
    else if (isCommand && choices.rarely(6)) task.failed_when = choices.of(['false', 'result.stdout == "none"']);
    else if (choices.rarely(9)) task.run_once = true;
    else if (choices.rarely(2)) return this.#registered(task, isCommand);
    return task;
  }

  #registered(task: Task, hasOutput: boolean): Task {
    const name = `r${this.#count}`;
    this.#known.push({ name, hasOutput });
    return { ...task, register: name };
  }

  #condition(): Task {
    const { name, hasOutput } = this.#known[this.#choices.below(this.#known.length + 2)] ?? {};
    if (name === undefined) return {};
    const one = hasOutput
      ? this.#choices.of([`${name}.changed`, `${name}.skipped || ${name}.stdout == ""`, `!${name}.failed`])
      : this.#choices.of([`${name}.changed`, `!${name}.changed`, `${name}.skipped`, `!${name}.failed`]);
    return { when: this.#choices.rarely(4) ? `${one} || inventory_hostname == "h1"` : one };
  }

  #block(depth: number): Task {
    const task: Task = { ...this.#condition(), block: this.#branch(1 + this.#choices.below(3), depth) };
    if (this.#choices.rarely(3)) (task.block as Task[]).push(this.#named({ fail: { message: 'on purpose' } }));
    if (this.#choices.rarely(2)) task.rescue = this.#branch(1 + this.#choices.below(2), depth);
    if (this.#choices.rarely(3)) task.always = this.#branch(1, depth);
    return task;
  }

  /** Its tasks may not have run: what they register is asked within only. */
  #branch(count: number, depth: number): Task[] {
    const outer = this.#known.length;
    const tasks = this.tasks(count, depth + 1);
    this.#known.length = outer;
    return tasks;
  }

  #path(): string {
    return `${home}/${this.#choices.of(paths)}`;
  }

  #copy(): Task {
    const choices = this.#choices;
    const mode = choices.rarely(3) ? { mode: choices.of(['0644', '0600', '0755']) } : {};
    const owner = choices.rarely(6) ? { owner: String(process.getuid?.() ?? 0) } : {};
    if (choices.rarely(4)) return { copy: { src: this.#path(), dest: this.#path(), remote_src: true, ...mode } };
    if (choices.rarely(4)) {
      const items = [choices.of(paths), choices.of(paths)];
      return { loop: items, copy: { dest: `${home}/{{ item }}`, content: choices.of(contents), ...mode } };
    }
    return { copy: { dest: this.#path(), content: choices.of(contents), ...mode, ...owner } };
  }

  #file(): Task {
    const choices = this.#choices;
    const mode = choices.rarely(3) ? { mode: choices.of(['0644', '0700', '0755']) } : {};
    const folder = `${home}/${choices.of(folders)}`;
    return choices.of<() => Task>([
      () => ({ file: { path: folder, state: 'directory', ...mode } }),
      () => ({ file: { path: choices.rarely(2) ? folder : this.#path(), state: 'absent' } }),
      () => ({ file: { path: this.#path(), state: 'file', ...mode } }),
      () => ({ file: { path: `${home}/l`, state: 'link', target: choices.of(['a', 'd']), force: choices.rarely(2) } }),
      () => ({ file: { path: folder, state: 'directory', recurse: true, mode: '0755' } }),
      () => ({ file: { path: folder, state: 'directory', owner: choices.of(['root', '0']) } }),
    ])();
  }

  #guarded(): Task {
    // What a command says that it does, it can do: that a folder is missing, check mode does not know.
    const path = `${home}/${this.#choices.of(['a', 'b'])}`;
    return this.#choices.of<() => Task>([
      () => ({ command: { argv: ['touch', path], creates: path } }),
      () => ({ command: { argv: ['rm', '-rf', path], removes: path } }),
      () => ({ shell: { cmd: `echo made >${home}/b`, unless: `test -s ${home}/b` } }),
      () => ({ shell: { cmd: `echo made >${home}/b`, unless: `test -s ${home}/b`, depends_on: [`${home}/b`] } }),
      () => ({ command: { argv: ['touch', path], chdir: `${home}/${this.#choices.of(folders)}`, creates: path } }),
    ])();
  }

  /** A command that says nothing of what it does. It makes a path that only {@link Writer.made} asks for. */
  #open(): Task {
    return this.#choices.of<Task>([{ shell: { cmd: 'echo done' } }, { shell: { cmd: `echo x >${home}/made` } }]);
  }

  #made(): Task {
    const path = `${home}/made`;
    return this.#choices.of<Task>([
      { file: { path, state: 'file' } },
      { file: { path, state: 'absent' } },
      { copy: { src: path, dest: `${home}/b`, remote_src: true } },
      { command: { argv: ['touch', path], creates: path } },
      { 'config-file': { path, format: 'env', set: { A: '1' } } },
    ]);
  }

  #config(): Task {
    const choices = this.#choices;
    const set = { [choices.of(['one', 'two'])]: { key: choices.of([1, 2]) } };
    const path = choices.rarely(3) ? this.#path() : `${home}/settings.ini`;
    return { 'config-file': { path, format: 'ini', create: choices.rarely(2), set } };
  }

  #template(): Task {
    const value = this.#known.find(({ hasOutput }) => hasOutput);
    const vars = { check_value: value && this.#choices.rarely(2) ? `{{ ${value.name}.changed }}` : '' };
    return { 'file-template': { src: 'text.hbs', dest: this.#path(), vars } };
  }

  #archive(): Task {
    const choices = this.#choices;
    if (choices.rarely(3)) {
      const [path, mode] = choices.of([
        ['tool.conf', '0640'],
        ['bin/tool', '0755'],
        ['tool.conf', '0644'],
      ]);
      return { file: { path: `${home}/opt/${path}`, state: 'file', mode } };
    }
    if (choices.rarely(4)) return { file: { path: `${home}/opt/bin`, state: 'directory', mode: '0755' } };
    return { 'tar-install': { src: 'tool.tar.gz', dest: `${home}/opt`, state_dir: `${home}/state` } };
  }

  #fact(): Task {
    const asked = this.#known[this.#choices.below(this.#known.length + 1)];
    const value = asked ? `{{ ${asked.name}.${asked.hasOutput ? 'stdout' : 'changed'} }}` : 'plain';
    const name = `fact${this.#facts % 3}`;
    this.#facts++;
    const set = this.#named({ 'set-fact': { [name]: value }, ...this.#condition() });
    return { block: [{ 'set-fact': { [name]: '' } }, set, this.#useOf(name)] };
  }

  #useOf(fact: string): Task {
    const effect = { copy: { dest: `${home}/fact`, content: `{{ ${fact} }}` } };
    return this.#named(this.#choices.rarely(2) ? effect : { ...this.effect(), when: `${fact} == "plain"` });
  }

  #assertion(): Task {
    const asked = this.#known[this.#choices.below(this.#known.length + 1)];
    const that = asked ? `!${asked.name}.failed` : 'inventory_hostname != ""';
    return this.#named({ assert: { that }, ignore_errors: true });
  }

  #reading(): Task {
    const path = this.#path();
    const task: Task = { shell: { cmd: `cat ${path} 2>/dev/null; :`, reads: true } };
    if (this.#choices.rarely(2)) Object.assign(task.shell as Task, { depends_on: [path] });
    return this.#registered(this.#named({ ...task, ...this.#condition() }), true);
  }
}
