import { join } from 'node:path';
import { createTestDatabase } from '../../support/database.ts';
import { FaultServer } from './server.ts';

/** For tests: the same kind as the server under test, but one that may be killed and has a binary log. */
export async function startServerLikeTheOneUnderTest(dir: string): Promise<FaultServer> {
  const database = await createTestDatabase();
  const { server: kind } = database;
  await database.drop();
  try {
    return await FaultServer.start(kind, join(dir, 'server'));
  } catch (error) {
    if (kind === 'mariadb') throw error;
    const reason = error instanceof Error ? error.message : String(error);
    console.log(`fault runs: NOT on MySQL, on MariaDB instead. ${reason}`);
    return FaultServer.start('mariadb', join(dir, 'server'));
  }
}
