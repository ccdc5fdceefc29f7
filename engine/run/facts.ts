import type { Facts } from '../language/facts-schema.ts';
import { type Probe, probe } from '../module/contract.ts';
import { parseFacts } from './facts/parse.ts';
import { factsScript } from './facts/script.ts';

/** The question that gathers all {@link Facts} of a host: one script, one round trip. */
export const factsProbe: Probe<Facts> = probe(factsScript, ({ stdout }) => parseFacts(stdout));
