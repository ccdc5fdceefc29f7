import { join } from 'node:path';
import { projectRoot } from './cli.ts';
import { hasProgram } from './fake-ssh-server.ts';

/** What comes first in the PATH of a host, so that root can become others there: a stand-in, unless sudo is installed. */
export const pathToSudo = hasProgram('sudo') ? undefined : join(projectRoot, 'test/support/stand-in');
