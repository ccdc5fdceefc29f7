import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';

/** A call that the server refused, with gRPC's number for the reason. */
export class GrpcError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(`rpc error: code = ${codeNames[code] ?? code} desc = ${message}`);
    this.code = code;
  }
}

/** What a server says about a method or a service that it does not have. */
export const unimplemented = 12;

const codeNames: Readonly<Record<number, string>> = {
  2: 'Unknown',
  4: 'DeadlineExceeded',
  5: 'NotFound',
  12: 'Unimplemented',
  14: 'Unavailable',
};

/** One unary call over a unix socket: real gRPC, on Node's own HTTP/2. */
export function call(socket: string, path: string, message: Buffer, limitMs = 15_000): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2('http://localhost', { createConnection: () => connect(socket) });
    const fail = (code: number, text: string): void => {
      session.destroy();
      reject(new GrpcError(code, text));
    };
    session.on('error', (error) => {
      fail(14, `connection error: desc = "transport: Error while dialing dial unix ${socket}: ${error.message}"`);
    });
    const request = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'kubelet-stand-in',
    });
    const chunks: Buffer[] = [];
    let status: Record<string, unknown> = {};
    request.setTimeout(limitMs, () => fail(4, 'context deadline exceeded'));
    // A refused call has its status in the headers, an accepted one in the trailers.
    request.on('response', (headers) => {
      status = { ...status, ...headers };
    });
    request.on('trailers', (trailers) => {
      status = { ...status, ...trailers };
    });
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', (error) => fail(14, error.message));
    request.on('end', () => {
      session.close();
      const code = Number(status['grpc-status'] ?? 2);
      // Five bytes in front of the message: not compressed, and its length.
      if (code === 0) resolve(Buffer.concat(chunks).subarray(5));
      else fail(code, decodeURIComponent(String(status['grpc-message'] ?? 'no status')));
    });
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    request.end(Buffer.concat([head, message]));
  });
}
