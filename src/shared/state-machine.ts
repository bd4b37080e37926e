export type StateTable<State extends string, Event extends string> = Readonly<
  Record<State, Readonly<Partial<Record<Event, State>>>>
>;

/** The state after `event`, or null where the table has no such edge: nothing may change then. */
export function nextState<State extends string, Event extends string>(
  table: StateTable<State, Event>,
  state: State,
  event: Event,
): State | null {
  return table[state]?.[event] ?? null;
}

/** The states from which `event` leads to another state: the guard of the matching conditional UPDATE. */
export function statesChangedBy<State extends string, Event extends string>(
  table: StateTable<State, Event>,
  event: Event,
): State[] {
  return (Object.keys(table) as State[]).filter((state) => {
    const next = nextState(table, state, event);
    return next !== null && next !== state;
  });
}
