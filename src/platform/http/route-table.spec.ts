import { fastify } from 'fastify';
import { describe, expect, it } from 'vitest';
import { isAdminPath, RouteTable } from './route-table.js';

function watched() {
  const server = fastify();
  const table = new RouteTable();
  table.watch(server);
  return { server, table };
}

const handler = async () => 'answer';

// Prevents a route that somebody forgot to protect from ever being served.
describe('the route table', () => {
  it('refuses a route of the admin API without a permission, and so the boot', () => {
    const { server } = watched();
    expect(() => server.get('/api/admin/secrets', handler)).toThrow(
      'GET /api/admin/secrets declares no permission',
    );
    expect(() => server.all('/api/admin', { config: {} }, handler)).toThrow('declares no permission');
  });

  it('lists each method of each route with its permission', () => {
    const { server, table } = watched();
    server.get('/api/admin/things', { config: { permission: 'orders:read' } }, handler);
    server.post('/api/other', handler);
    expect(table.routes).toEqual(
      expect.arrayContaining([
        { method: 'GET', url: '/api/admin/things', permission: 'orders:read' },
        { method: 'HEAD', url: '/api/admin/things', permission: 'orders:read' },
        { method: 'POST', url: '/api/other', permission: undefined },
      ]),
    );
  });

  it('knows which addresses belong to the admin API', () => {
    expect(['/api/admin', '/api/admin/x', '/api/admin/:id'].every(isAdminPath)).toBe(true);
    expect(['/api/administration', '/api', '/', '/x/api/admin'].some(isAdminPath)).toBe(false);
  });
});
