import { describe, expect, it } from 'vitest';
import { nextState, statesChangedBy } from './state-machine.js';

const DOOR = { open: { close: 'closed' }, closed: { open: 'open', close: 'closed' } } as const;

describe('state machine', () => {
  it('answers null where there is no edge', () => {
    expect(nextState<'open' | 'closed', 'open' | 'close'>(DOOR, 'open', 'open')).toBeNull();
    expect(nextState<'open' | 'closed', 'open' | 'close'>(DOOR, 'open', 'close')).toBe('closed');
  });

  it('names the states an event changes, not those it leaves alone', () => {
    expect(statesChangedBy<'open' | 'closed', 'open' | 'close'>(DOOR, 'close')).toEqual(['open']);
  });
});
