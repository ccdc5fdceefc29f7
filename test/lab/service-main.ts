import { createApiServer } from './api-server.ts';
import { artifactServer } from './artifact-server.ts';
import { apiPort, artifactPort, bridge } from './settings.ts';

// The process behind `npm run lab -- up`: the stand-in API server and the file server.
const [nodeCount, artifactsDir] = process.argv.slice(2);
if (nodeCount === undefined || artifactsDir === undefined) throw new Error('usage: service-main NODES ARTIFACTS');

artifactServer(artifactsDir).listen(artifactPort, bridge.address);
createApiServer(Number(nodeCount)).listen(apiPort, bridge.address);
process.on('SIGTERM', () => process.exit(0));
