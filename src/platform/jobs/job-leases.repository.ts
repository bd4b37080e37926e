import { Injectable } from '@nestjs/common';
import { isDuplicateEntry } from '../database/database-error.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import type { Tx } from '../database/unit-of-work.js';

/** The right to do a job until it expires. The token rises with every change of owner. */
export type JobLease = {
  readonly name: string;
  readonly fencingToken: string;
  readonly cursor: string | null;
};

type LeaseRow = { fencing_token: string; cursor_value: string | null };

@Injectable()
export class JobLeasesRepository {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** Takes or keeps the lease; null while another owner holds it. Times are the server's: replicas' clocks may differ. */
  async claim(name: string, owner: string, ttlMs: number): Promise<JobLease | null> {
    const { reader } = this.unitOfWork;
    const claimed = await this.tryClaim(reader, name, owner, ttlMs);
    if (claimed) return claimed;
    const known = await reader.query<LeaseRow[]>('SELECT fencing_token FROM job_leases WHERE name = ?', [
      name,
    ]);
    if (known.length > 0) return null;
    await insertExpired(reader, name);
    return this.tryClaim(reader, name, owner, ttlMs);
  }

  /** Lets the next replica start at once instead of after the lease ran out. */
  async release(lease: JobLease): Promise<void> {
    await this.unitOfWork.reader.query(
      'UPDATE job_leases SET owner = NULL, expires_at = NOW(3) WHERE name = ? AND fencing_token = ?',
      [lease.name, lease.fencingToken],
    );
  }

  /** Keeps the place of a long pass; false when the lease has gone to another owner meanwhile. */
  async saveCursor(lease: JobLease, cursor: string | null): Promise<boolean> {
    const result = await this.unitOfWork.reader.query<{ affectedRows: number }>(
      'UPDATE job_leases SET cursor_value = ? WHERE name = ? AND fencing_token = ?',
      [cursor, lease.name, lease.fencingToken],
    );
    return result.affectedRows === 1;
  }

  /** True when the lease is still ours; holds off its next owner until `tx` ends. */
  async lockHeld(tx: Tx, lease: JobLease): Promise<boolean> {
    const rows = await tx.query<unknown[]>(
      'SELECT name FROM job_leases WHERE name = ? AND fencing_token = ? AND expires_at > NOW(3) LOCK IN SHARE MODE',
      [lease.name, lease.fencingToken],
    );
    return rows.length === 1;
  }

  private async tryClaim(reader: Tx, name: string, owner: string, ttlMs: number): Promise<JobLease | null> {
    // The token is assigned before the owner: MySQL evaluates SET from left to right.
    const result = await reader.query<{ affectedRows: number }>(
      `UPDATE job_leases
          SET fencing_token = fencing_token + IF(owner = ?, 0, 1), owner = ?,
              expires_at = NOW(3) + INTERVAL ? MICROSECOND
        WHERE name = ? AND (owner <=> ? OR expires_at <= NOW(3))`,
      [owner, owner, ttlMs * 1000, name, owner],
    );
    if (result.affectedRows !== 1) return null;
    const [row] = await reader.query<LeaseRow[]>(
      'SELECT fencing_token, cursor_value FROM job_leases WHERE name = ? AND owner = ?',
      [name, owner],
    );
    return row ? { name, fencingToken: row.fencing_token, cursor: row.cursor_value } : null;
  }
}

async function insertExpired(reader: Tx, name: string): Promise<void> {
  try {
    await reader.query('INSERT INTO job_leases (name, expires_at) VALUES (?, NOW(3) - INTERVAL 1 SECOND)', [
      name,
    ]);
  } catch (error) {
    if (!isDuplicateEntry(error)) throw error;
  }
}
