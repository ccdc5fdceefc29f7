import { createApiServer } from './api-server.ts';
import { artifactServer } from './artifact-server.ts';
import { realPrograms, startControlPlane } from './control-plane.ts';
import { apiPort, artifactPort, bridge } from './settings.ts';

// The process behind `npm run lab -- up`: the API server and the file server.
const [nodeCount, artifactsDir] = process.argv.slice(2);
if (nodeCount === undefined || artifactsDir === undefined) throw new Error('usage: service-main NODES ARTIFACTS');

artifactServer(artifactsDir).listen(artifactPort, bridge.address);
const folder = realPrograms();
if (folder === undefined) createApiServer(Number(nodeCount)).listen(apiPort, bridge.address);
else await startControlPlane(folder);
process.on('SIGTERM', () => process.exit(0));
