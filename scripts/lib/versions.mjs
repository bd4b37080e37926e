/** Whether a version like `24.21.0` is the given [major, minor] or later. */
export function isAtLeast(version, [majorMin, minorMin]) {
  const [major, minor] = version.split('.').map(Number);
  return major > majorMin || (major === majorMin && minor >= minorMin);
}
