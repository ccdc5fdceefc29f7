/** A request to the API server; undefined for a 404, an error for everything else that is no success. */
export type ApiClient = (method: string, path: string, body?: object, contentType?: string) => Promise<unknown>;

/** A client that says who it is, so that the log of a test's writes stays readable. */
export function apiClient(server: string): ApiClient {
  return async (method, path, body, contentType = 'application/json') => {
    const response = await fetch(`${server}${path}`, {
      method,
      headers: { 'User-Agent': 'kubelet-stand-in', 'Content-Type': contentType },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(5000),
    });
    const text = await response.text();
    if (response.status === 404) return undefined;
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  };
}
