/** Keys from a file's root to a value. */
export type KeyPath = readonly string[];

/** Reads `plugins."io.containerd.grpc.v1.cri".sandbox_image`: parts are separated by dots, quoted where they hold one. */
export function parseKeyPath(text: string): KeyPath | { readonly mistake: string } {
  const keys: string[] = [];
  let rest = text;
  for (;;) {
    const part = /^(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^."']+))/.exec(rest);
    if (!part)
      return { mistake: `${JSON.stringify(text)} is no key path: write parts that hold dots in quotes, a."b.c".d` };
    keys.push(part[1]?.replace(/\\(.)/g, '$1') ?? part[2] ?? part[3] ?? '');
    rest = rest.slice(part[0].length);
    if (rest === '') return keys;
    if (!rest.startsWith('.'))
      return { mistake: `${JSON.stringify(text)} is no key path: a dot is missing before ${rest}` };
    rest = rest.slice(1);
  }
}

/** Writes a path as {@link parseKeyPath} reads it. */
export function formatKeyPath(keys: KeyPath): string {
  return keys.map((key) => (/^[^."'\s\\]+$/.test(key) ? key : JSON.stringify(key))).join('.');
}
