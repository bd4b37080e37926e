import { enableCompileCache, flushCompileCache, setSourceMapsSupport } from 'node:module';
import { join } from 'node:path';

/** node:sqlite and the rest of what the spool stands on came with this version. */
const NODE_MAJOR_MIN = 24;
const nodeMajor = Number(process.versions.node.split('.')[0]);
if (nodeMajor < NODE_MAJOR_MIN) {
  console.error(
    `Node ${NODE_MAJOR_MIN} or newer is needed, this is ${process.version}: start with "npm start".`,
  );
  process.exit(78); // EX_CONFIG of sysexits: starting again will not help
}

// Of our own files: the maps of all packages, which the flag of Node would keep as well, are tens of megabytes.
setSourceMapsSupport(true, { nodeModules: false, generatedCode: false });
// Beside the compiled files, so that only who can change those can change it. Where it cannot be written, a start is as slow
// as the first one.
enableCompileCache(join(import.meta.dirname, '..', '.compile-cache'));
// Loaded only now: what an older Node lacks is told above, and the maps of what was loaded before would be missing.
await import('./server.js');
// Now, and not at the end, which may be a kill.
flushCompileCache();
