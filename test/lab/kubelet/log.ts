/** Writes a line as klog does; journald keeps it. */
export function log(level: 'I' | 'E', message: string): void {
  const now = new Date();
  const day = `${String(now.getMonth() + 1).padStart(2, '0')}${String(now.getDate()).padStart(2, '0')}`;
  const time = now.toISOString().slice(11, 23);
  process.stderr.write(`${level}${day} ${time}000 ${process.pid} stand-in] ${message}\n`);
}
