import { createReadStream, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { basename, join } from 'node:path';

/** Serves the files of one folder; only plain names, so nothing outside it can be asked for. */
export function artifactServer(dir: string): Server {
  return createServer((request, response) => {
    const path = join(dir, basename(decodeURIComponent((request.url ?? '/').split('?')[0] ?? '/')));
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined || !stats.isFile()) {
      response.writeHead(404).end('no such file\n');
      return;
    }
    response.writeHead(200, { 'Content-Length': stats.size, 'Content-Type': 'application/octet-stream' });
    if (request.method === 'HEAD') response.end();
    else createReadStream(path).pipe(response);
  });
}
