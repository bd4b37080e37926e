/** From the least to the most: each role may all that the ones before it may. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;

export type Role = (typeof ROLES)[number];

/**
 * Who may what: the lowest role that has the permission. The one table of the admin API; every route under
 * /api/admin names one of these permissions.
 */
export const LOWEST_ROLE = {
  'orders:read': 'viewer',
  'refunds:read': 'viewer',
  'exceptions:read': 'viewer',
  'prices:read': 'viewer',
  'users:read': 'viewer',
  'records:read': 'viewer',
  'statistics:read': 'viewer',
  'outbox:read': 'viewer',

  'orders:write': 'operator',
  'orders:ask': 'operator',
  'refunds:request': 'operator',
  'exceptions:resolve': 'operator',
  'users:write': 'operator',
  'products:write': 'operator',
  'outbox:resend': 'operator',
  'audit:read': 'operator',
  // Whole tables leave the house: not for everybody who may look at one order.
  export: 'operator',

  // What changes what customers pay or have without a payment, and who may do so.
  'prices:write': 'admin',
  'entitlements:write': 'admin',
  'tokens:manage': 'admin',
} as const satisfies Record<string, Role>;

export type Permission = keyof typeof LOWEST_ROLE;

export const PERMISSIONS = Object.keys(LOWEST_ROLE) as readonly Permission[];

export function may(role: Role, permission: Permission): boolean {
  return !outranks(LOWEST_ROLE[permission], role);
}

export function outranks(role: Role, other: Role): boolean {
  return ROLES.indexOf(role) > ROLES.indexOf(other);
}
