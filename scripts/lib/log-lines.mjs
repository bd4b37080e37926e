const LEVEL_NAMES = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };
const WARNING = 40;
const SHORT_LENGTH_MAX = 400;
const NOT_FIELDS = new Set(['level', 'time', 'pid', 'hostname', 'event', 'msg']);

/**
 * One line of the application's log as it is shown on the terminal.
 * @returns undefined when it is not worth showing; a line that is not JSON always is
 */
export function toTerminalLine(line, { verbose }) {
  if (line.trim() === '') return undefined;
  const entry = parseEntry(line);
  if (!entry) return line;
  if (!verbose && entry.level < WARNING) return undefined;
  const level = (LEVEL_NAMES[entry.level] ?? String(entry.level)).padEnd(5);
  const time = String(entry.time ?? '').replace(/^.*T(\d\d:\d\d:\d\d).*$/, '$1');
  const fields = Object.entries(entry)
    .filter(([name]) => !NOT_FIELDS.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const text = [time, level, entry.event ?? entry.msg ?? '', ...fields].join(' ');
  return text.length > SHORT_LENGTH_MAX ? `${text.slice(0, SHORT_LENGTH_MAX)} …` : text;
}

function parseEntry(line) {
  if (!line.startsWith('{')) return undefined;
  try {
    const entry = JSON.parse(line);
    return typeof entry.level === 'number' ? entry : undefined;
  } catch {
    return undefined; // cut off in the middle by a kill: shown as it is
  }
}
