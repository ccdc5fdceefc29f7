import { type Decoded, decode, messageFields, numberField, textField } from '../kubelet/protobuf.ts';
import { ApiError } from './api-error.ts';
import type { Json } from './objects.ts';

/**
 * What newer kubectls send as protobuf and the stand-in needs: an access review's question and an eviction's options.
 * The field numbers are those of k8s.io/api; the envelope is runtime.Unknown.
 */
export function readProtobuf(bytes: Buffer): Json {
  const envelope = decode(bytes);
  const [type] = messageFields(envelope, 1);
  const [object] = messageFields(envelope, 2);
  const kind = type === undefined ? '' : textField(type, 2);
  if (type === undefined || object === undefined) throw unreadable(kind);
  const apiVersion = textField(type, 1);
  if (kind === 'SelfSubjectAccessReview') return { apiVersion, kind, spec: { resourceAttributes: attributes(object) } };
  if (kind === 'Eviction') return { apiVersion, kind, deleteOptions: deleteOptions(messageFields(object, 2)[0]) };
  if (kind === 'DeleteOptions') return { apiVersion, kind, ...deleteOptions(object) };
  throw unreadable(kind);
}

function attributes(review: Decoded): Record<string, string> {
  const attributes = messageFields(review, 2).flatMap((spec) => messageFields(spec, 1))[0];
  if (attributes === undefined) return {};
  const names = ['namespace', 'verb', 'group', 'version', 'resource', 'subresource', 'name'];
  return Object.fromEntries(names.map((name, index) => [name, textField(attributes, index + 1)]));
}

function deleteOptions(options: Decoded | undefined): Record<string, Json> {
  if (options === undefined) return {};
  return {
    ...(options.has(1) ? { gracePeriodSeconds: numberField(options, 1) } : {}),
    ...(options.has(5) ? { dryRun: ['All'] } : {}),
  };
}

function unreadable(kind: string): ApiError {
  return new ApiError(415, 'UnsupportedMediaType', `the stand-in reads ${kind} as JSON only`);
}
