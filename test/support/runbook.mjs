// `runbook` from source, as a program of its own, whatever was built before.
import { register } from 'tsx/esm/api';

register();
await import('../../engine/cli/main.ts');
