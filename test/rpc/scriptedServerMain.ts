// A server process with scripted trainers, for tests that kill it.
import { startServer } from '../../server/rpc/server.ts';
import { scriptedServerOptions } from './scriptedServerOptions.ts';

const server = await startServer(scriptedServerOptions(process.argv[2]!));
process.once('SIGTERM', () => void server.close('the server was ended by SIGTERM'));
process.send?.('listening');
await server.closed;
process.exit(0);
