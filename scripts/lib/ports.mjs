import { connect, createServer } from 'node:net';

const GREETING_WITHIN_MS = 1_000;
/** Fifth byte of the first packet a MySQL server sends: the protocol version, 10 since 1998. */
const PROTOCOL_VERSION = 10;
const PROTOCOL_VERSION_AT = 4;

export function findFreePort(host) {
  return listenBriefly({ host, port: 0 });
}

export async function isFree(port, host) {
  try {
    await listenBriefly({ host, port });
    return true;
  } catch (error) {
    if (error.code === 'EADDRINUSE' || error.code === 'EACCES') return false;
    throw error;
  }
}

function listenBriefly(address) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(address, () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Whether a MySQL or MariaDB server answers there: listening is not enough, a stopped one still has its port. */
export function greets(port, host) {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    const answer = (isServer) => {
      socket.destroy();
      resolve(isServer);
    };
    socket.setTimeout(GREETING_WITHIN_MS, () => answer(false));
    socket.once('error', () => answer(false));
    socket.once('data', (packet) => answer(packet[PROTOCOL_VERSION_AT] === PROTOCOL_VERSION));
  });
}
