import { describe, expect, it } from 'vitest';
import { may, outranks, PERMISSIONS, ROLES } from './permissions.js';
import type { Role } from './permissions.js';

const permissionsOf = (role: Role) => PERMISSIONS.filter((permission) => may(role, permission));

describe('permissions', () => {
  it('grow from role to role, and the last one has all', () => {
    const [viewer, operator, admin] = ROLES.map(permissionsOf);
    expect(operator).toEqual(expect.arrayContaining(viewer ?? []));
    expect(admin).toEqual([...PERMISSIONS]);
    expect(viewer?.length).toBeLessThan(operator?.length ?? 0);
    expect(operator?.length).toBeLessThan(PERMISSIONS.length);
  });

  // Prevents the viewer's token, which is handed out freely, from ever changing anything.
  it('let a viewer read, and nothing else', () => {
    expect(permissionsOf('viewer').filter((permission) => !permission.endsWith(':read'))).toEqual([]);
    expect(may('viewer', 'export')).toBe(false);
  });

  it('keep prices, gifts and tokens to admins', () => {
    for (const permission of ['prices:write', 'entitlements:write', 'tokens:manage'] as const) {
      expect([may('operator', permission), may('admin', permission)]).toEqual([false, true]);
    }
  });

  it('know that no role outranks itself', () => {
    expect(ROLES.map((role) => outranks(role, role))).toEqual([false, false, false]);
    expect([outranks('admin', 'viewer'), outranks('viewer', 'operator')]).toEqual([true, false]);
  });
});
