import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

/** A place in a text, both from 0, as the language server protocol counts. */
export interface Position {
  readonly line: number;
  readonly character: number;
}

/** A mistake as an editor shows it: the text that is underlined, and what is said about it. */
export interface Mistake {
  readonly at: string;
  readonly line: number;
  readonly message: string;
}

/** What an editor offers. */
export interface Completion {
  readonly label: string;
  readonly inserted: string;
  readonly documentation: string;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** The settings of the editor: `yaml.…` as in VS Code. */
export type YamlSettings = Readonly<Record<string, unknown>>;

/**
 * The real yaml-language-server over its standard streams, spoken to as an editor does. It reads no schema from the
 * network. The process is its own; dispose of it to end it.
 */
export class LanguageServer implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #settings: YamlSettings;
  readonly #answers = new Map<number, (message: Message) => void>();
  readonly #diagnostics = new Map<string, (params: Record<string, unknown>) => void>();
  readonly #texts = new Map<string, string>();
  #buffer = Buffer.alloc(0);
  #lastId = 0;

  private constructor(settings: YamlSettings) {
    const program = createRequire(import.meta.url).resolve('yaml-language-server/bin/yaml-language-server');
    this.#settings = settings;
    this.#child = spawn(process.execPath, [program, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdout?.on('data', (chunk: Buffer) => this.#receive(chunk));
  }

  /** Starts a server in a folder and waits until it has read its settings. */
  static async start(folder: string, settings: YamlSettings): Promise<LanguageServer> {
    const server = new LanguageServer({
      schemaStore: { enable: false },
      kubernetesCRDStore: { enable: false },
      validate: true,
      hover: true,
      completion: true,
      ...settings,
    });
    const capabilities = {
      workspace: { configuration: true },
      textDocument: { completion: { completionItem: { snippetSupport: true, documentationFormat: ['markdown'] } } },
    };
    const rootUri = pathToFileURL(folder).href;
    await server.#request('initialize', { processId: process.pid, rootUri, capabilities });
    server.#notify('initialized', {});
    return server;
  }

  /** Opens a file, or changes what it holds, and gives the mistakes that are shown in it. */
  async open(path: string, text: string): Promise<readonly Mistake[]> {
    const uri = pathToFileURL(path).href;
    const isNew = !this.#texts.has(uri);
    this.#texts.set(uri, text);
    const published = new Promise<Record<string, unknown>>((resolve) => this.#diagnostics.set(uri, resolve));
    if (isNew) {
      this.#notify('textDocument/didOpen', { textDocument: { uri, languageId: 'yaml', version: 1, text } });
    } else {
      this.#notify('textDocument/didChange', { textDocument: { uri, version: 2 }, contentChanges: [{ text }] });
    }
    const { diagnostics } = (await published) as unknown as {
      diagnostics: readonly { range: { start: Position; end: Position }; message: string }[];
    };
    return diagnostics
      .map(({ range, message }) => ({ at: between(text, range.start, range.end), line: range.start.line, message }))
      .sort((a, b) => a.line - b.line);
  }

  /** What is shown when the pointer rests on the first character of `on`, as Markdown; `''` when nothing is. */
  async hover(path: string, on: string): Promise<string> {
    const { uri, text } = this.#opened(path);
    const position = positionOf(text, text.indexOf(on));
    const hover = (await this.#request('textDocument/hover', { textDocument: { uri }, position })) as {
      contents: { value: string };
    } | null;
    return hover?.contents.value ?? '';
  }

  /** What is offered at the cursor, which stands where the text has `|`. */
  async complete(path: string, textWithCursor: string): Promise<readonly Completion[]> {
    const offset = textWithCursor.indexOf('|');
    await this.open(path, textWithCursor.replace('|', ''));
    const { uri, text } = this.#opened(path);
    const position = positionOf(text, offset);
    const list = (await this.#request('textDocument/completion', { textDocument: { uri }, position })) as {
      items: readonly { label: string; insertText?: string; documentation?: string | { value: string } }[];
    };
    return list.items.map(({ label, insertText = '', documentation = '' }) => ({
      label,
      inserted: insertText,
      documentation: typeof documentation === 'string' ? documentation : documentation.value,
    }));
  }

  /** Asks until the settings are there: the server tells nobody when it has read them. */
  async ready(path: string, text: string, on: string): Promise<void> {
    await this.open(path, text);
    for (let attempt = 0; attempt < 200; attempt++) {
      if ((await this.hover(path, on)) !== '') return;
      await sleep(25);
    }
    throw new Error('the language server shows nothing');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit');
    await this.#request('shutdown', undefined);
    this.#notify('exit', undefined);
    await ended;
  }

  #opened(path: string): { uri: string; text: string } {
    const uri = pathToFileURL(path).href;
    return { uri, text: this.#texts.get(uri) ?? '' };
  }

  #request(method: string, params: unknown): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#answers.set(id, ({ result, error }) => (error ? reject(new Error(error.message)) : resolve(result)));
      this.#send({ id, method, params });
    });
  }

  #notify(method: string, params: unknown): void {
    this.#send({ method, params });
  }

  #send(message: Readonly<Record<string, unknown>>): void {
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }));
    this.#child.stdin?.write(Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]));
  }

  #receive(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    for (;;) {
      const end = this.#buffer.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/Content-Length: (\d+)/.exec(this.#buffer.toString('latin1', 0, end))?.[1]);
      if (this.#buffer.length < end + 4 + length) return;
      const body = this.#buffer.toString('utf8', end + 4, end + 4 + length);
      this.#buffer = this.#buffer.subarray(end + 4 + length);
      this.#handle(JSON.parse(body) as Message);
    }
  }

  #handle(message: Message): void {
    const { id, method, params } = message;
    if (method === 'textDocument/publishDiagnostics') this.#diagnostics.get(String(params?.uri))?.(params ?? {});
    else if (method === 'workspace/configuration') {
      const items = (params?.items ?? []) as readonly { section: string }[];
      this.#send({ id, result: items.map(({ section }) => (section === 'yaml' ? this.#settings : {})) });
    } else if (method !== undefined && id !== undefined) this.#send({ id, result: null });
    else if (id !== undefined) this.#answers.get(id)?.(message);
  }
}

function between(text: string, start: Position, end: Position): string {
  const lines = text.split('\n');
  if (start.line === end.line) return lines[start.line]?.slice(start.character, end.character) ?? '';
  return lines[start.line]?.slice(start.character) ?? '';
}

function positionOf(text: string, offset: number): Position {
  const lines = text.slice(0, offset).split('\n');
  return { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 };
}
