/** True when arrays and objects are nested deeper than `depthMax`. Walks level by level, so no depth overflows the stack. */
export function jsonDepthExceeds(value: unknown, depthMax: number): boolean {
  let level = [value].filter(isContainer);
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth >= depthMax) return true;
    level = level.flatMap((container) => Object.values(container).filter(isContainer));
  }
  return false;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
