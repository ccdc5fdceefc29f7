import { type Choices, type GeneratedPlaybook, generatePlaybook } from './generated-playbooks.ts';

/**
 * Playbooks that nobody wrote, for two hosts that see one file system: besides what {@link generatePlaybook} has, hosts
 * that differ, are changed by each other and through the controller, and the keywords that say who, when and how often.
 */
export interface GeneratedFleet {
  readonly files: Readonly<Record<string, string>>;
  /** What is on each host before it runs, as in {@link GeneratedPlaybook.before}. */
  readonly before: readonly [GeneratedPlaybook, GeneratedPlaybook];
  /** Tasks act on other hosts than their own; such plays go through their tasks in step. */
  readonly isCrossing: boolean;
}

type Task = Record<string, unknown>;
type Play = { tasks: Task[]; handlers: Task[] } & Task;

/** The host's own folder, and the other one's. */
const [home, others] = ['DIR/{{ inventory_hostname }}', 'DIR/{{ other }}'];
const paths = ['a', 'b', 'd/x', 'd/y', 'l'] as const;

/** Makes a playbook of one or two plays, of `choices`. The inventory is to have a variable `other` for each host. */
export function generateFleet(choices: Choices): GeneratedFleet {
  const isCrossing = !choices.rarely(3);
  const one = generatePlaybook(choices);
  const two = generatePlaybook(choices);
  const plays = [...playsOf(one), ...(choices.rarely(2) ? playsOf(two) : [])];
  const writer = new Writer(choices, isCrossing);
  const [first, ...more] = plays.map((play, i) => writer.play(play, i));
  return {
    isCrossing,
    before: [one, two],
    files: {
      ...one.files,
      'play.yaml': JSON.stringify([first, ...more], null, 1),
      'items.yaml': JSON.stringify([
        { name: 'item of the file', copy: { dest: `${home}/{{ item }}`, content: 'of the file\n' }, register: 'inner' },
        { name: 'after the item', copy: { dest: `${home}/inner`, content: '{{ item }}\n' }, when: 'inner.changed' },
      ]),
      // Tasks write them in the course of the run.
      'files/made': 'not made yet\n',
      'templates/made.hbs': 'not made yet\n',
    },
  };
}

function playsOf({ files }: GeneratedPlaybook): Play[] {
  return JSON.parse(files['play.yaml'] ?? '') as Play[];
}

class Writer {
  readonly #choices: Choices;
  readonly #isCrossing: boolean;
  #count = 0;
  #hasFacts = true;

  constructor(choices: Choices, isCrossing: boolean) {
    this.#choices = choices;
    this.#isCrossing = isCrossing;
  }

  /** The play with more in it. */
  play(play: Play, number: number): Play {
    const choices = this.#choices;
    const order = this.#isCrossing
      ? choices.of<Task>([{}, {}, {}, { serial: 1 }])
      : choices.of<Task>([{ strategy: 'free' }, { serial: { window: 2 } }, { serial: { window: 1 } }]);
    this.#hasFacts = !choices.rarely(5);
    return {
      ...order,
      ...(!this.#hasFacts && { gather_facts: false }),
      ...(choices.rarely(6) && { any_errors_fatal: true }),
      ...play,
      name: `play ${number}`,
      tasks: this.#among(play.tasks),
    };
  }

  /** Tasks with others between them. */
  #among(tasks: readonly Task[]): Task[] {
    return tasks.flatMap((task) => [...(this.#choices.rarely(3) ? this.#more() : []), this.#dressed(task)]);
  }

  /** The task, or the tasks of the block, with keywords that it had not. */
  #dressed(task: Task): Task {
    const choices = this.#choices;
    if ('block' in task) {
      const parts = ['block', 'rescue', 'always'].filter((part) => part in task);
      const inner = parts.map((part) => [part, this.#among(task[part] as Task[])] as const);
      return { ...task, ...Object.fromEntries(inner), ...(choices.rarely(5) && { become: true }) };
    }
    const isPlain = 'include_tasks' in task || 'set-fact' in task || 'assert' in task || 'fail' in task;
    if (isPlain) return task;
    // Which of two hosts is first is decided by chance, where they do not go in step.
    if (!this.#isCrossing) delete task.run_once;
    const where =
      this.#isCrossing && choices.rarely(6) ? { delegate_to: choices.of(['{{ other }}', 'localhost']) } : {};
    const forgiving = choices.rarely(3) ? {} : { ignore_errors: true };
    const when = 'when' in task || !choices.rarely(6) ? {} : { when: 'zone == "far"' };
    return { ...task, ...this.#who(), ...where, ...when, ...forgiving };
  }

  #who(): Task {
    return this.#choices.rarely(5)
      ? this.#choices.of<Task>([{ become: true }, { become: true, become_user: 'nobody' }, { environment: { A: 'b' } }])
      : {};
  }

  #more(): Task[] {
    const own = [
      () => this.#loop(),
      () => this.#retried(),
      () => [{ include_tasks: 'items.yaml', loop: this.#twoPaths() }],
      () => [{ meta: 'flush_handlers' }],
      () => [this.#named({ copy: { dest: `${home}/os`, content: this.#hasFacts ? '{{ facts.os.id }}\n' : 'none\n' } })],
      () => [this.#named({ pause: { seconds: 0 } })],
    ] as const;
    const crossing = [
      () => this.#asked((path) => this.#ofTheOther(path)),
      () => this.#asked((path) => this.#onceForAll(path)),
      () => this.#asked((path) => this.#throughTheController(path)),
      () => this.#made(),
    ] as const;
    return this.#choices.of<() => Task[]>(this.#isCrossing ? [...crossing, ...own] : own)();
  }

  #named(task: Task): Task {
    return { name: `m${++this.#count}`, ...task, ...(this.#choices.rarely(3) ? {} : { ignore_errors: true }) };
  }

  #path(): string {
    return this.#choices.of(paths);
  }

  #twoPaths(): string[] {
    return [this.#path(), this.#path()];
  }

  /** Turns of which some change what the next ones ask for, and a result of which later tasks make something. */
  #loop(): Task[] {
    const loop = this.#twoPaths();
    const name = `loop${this.#count}`;
    const effect = this.#choices.of<Task>([
      { copy: { dest: `${home}/{{ item }}`, content: 'looped\n' } },
      { copy: { src: `${home}/a`, dest: `${home}/{{ item }}`, remote_src: true } },
      { file: { path: `${home}/{{ item }}`, state: 'absent' } },
      { shell: { cmd: `echo more >>${home}/{{ item }}` } },
    ]);
    return [
      this.#named({ ...effect, loop, register: name, ignore_errors: true }),
      this.#named({ copy: { dest: `${home}/looped`, content: `{{ ${name}.changed }}\n` } }),
      this.#named({ file: { path: `${home}/b`, state: 'absent' }, when: `${name}.changed` }),
    ];
  }

  /** Done several times until it is as it should be. */
  #retried(): Task[] {
    const name = `tried${this.#count}`;
    const cmd = `echo x >>${home}/tries; test $(grep -c . ${home}/tries) -ge 3`;
    const reads = { cmd: `cat ${home}/${this.#path()} 2>/dev/null; :`, reads: true };
    return [
      this.#choices.of<Task>([
        this.#named({ shell: { cmd }, register: name, until: `${name}.rc == 0`, retries: 3, delay: '5ms' }),
        this.#named({ shell: reads, register: name, until: `${name}.stdout != ""`, retries: 1, delay: '5ms' }),
      ]),
      this.#named({ file: { path: `${home}/tries`, state: 'absent' }, when: `!${name}.failed` }),
    ];
  }

  /** A host changes the other one, or reads what it has. */
  #ofTheOther(path: string): Task[] {
    const name = `read${this.#count}`;
    const delegated = { delegate_to: '{{ other }}', ...(this.#choices.rarely(3) ? {} : { when: 'zone == "near"' }) };
    return this.#choices.of<Task[]>([
      [this.#named({ copy: { dest: `${others}/${path}`, content: 'by {{ inventory_hostname }}\n' }, ...delegated })],
      [this.#named({ file: { path: `${others}/${path}`, state: 'absent' }, ...delegated })],
      [this.#named({ shell: { cmd: `echo other >>${others}/${path}` }, ...delegated, become: true })],
      [
        this.#named({
          shell: { cmd: `cat ${others}/${path} 2>/dev/null; :`, reads: true },
          ...delegated,
          register: name,
        }),
        this.#named({ copy: { dest: `${home}/${path}`, content: `{{ ${name}.changed }}\n` }, when: `!${name}.failed` }),
      ],
    ]);
  }

  #onceForAll(path: string): Task[] {
    const once = { run_once: this.#choices.of<boolean | string>([true, 'batch']) };
    return this.#choices.of<Task[]>([
      [this.#named({ shell: { cmd: `for h in h1 h2; do echo once >DIR/$h/${path}; done` }, ...once })],
      [this.#named({ copy: { dest: `DIR/{{ item }}/${path}`, content: 'all\n' }, loop: ['h1', 'h2'], ...once })],
      [this.#named({ shell: { cmd: `rm -rf DIR/h?/${path}` }, ...once, delegate_to: '{{ other }}' })],
    ]);
  }

  #throughTheController(path: string): Task[] {
    const here = { delegate_to: 'localhost', ...(this.#choices.rarely(2) && { when: 'zone == "near"' }) };
    return this.#choices.of<Task[]>([
      [this.#named({ copy: { dest: `${others}/${path}`, content: 'from outside\n' }, ...here })],
      [this.#named({ file: { path: `DIR/h2/${path}`, state: 'absent' }, ...here })],
      [this.#named({ shell: { cmd: `touch DIR/h1/${path} DIR/h2/${path}` }, ...here, run_once: true })],
    ]);
  }

  /** What is done to a path between two questions: the first one is a chance to ask the second one ahead. */
  #asked(change: (path: string) => Task[]): Task[] {
    const path = this.#path();
    const cmd = `ls ${home} | grep -c .`;
    return [
      this.#named({ shell: { cmd, reads: true } }),
      ...change(path),
      this.#choices.of<Task>([
        this.#named({ copy: { dest: `${home}/${path}`, content: 'asked\n' } }),
        this.#named({ file: { path: `${home}/${path}`, state: 'absent' } }),
        this.#named({ shell: { cmd: `touch ${home}/seen`, creates: `${home}/${path}` } }),
      ]),
    ];
  }

  /** A file of the controller that the run itself makes, for each host another one. */
  #made(): Task[] {
    const content = `made for {{ inventory_hostname }}${this.#choices.of(['', ' again', ' once more'])}\n`;
    const path = this.#path();
    const of = this.#choices.of<readonly [string, Task]>([
      ['files/made', { copy: { src: 'made', dest: `${home}/${path}` } }],
      ['templates/made.hbs', { 'file-template': { src: 'made.hbs', dest: `${home}/${path}` } }],
    ]);
    return [
      this.#named({ copy: { dest: `DIR/${of[0]}`, content }, delegate_to: 'localhost', throttle: 1 }),
      this.#named(of[1]),
    ];
  }
}
