import { createServer, type Server } from 'node:http';
export function createApiServer(_nodeCount: number): Server {
  return createServer((_request, response) =>
    response.end('{"status":{"conditions":[{"type":"Ready","status":"True"}]}}'),
  );
}
