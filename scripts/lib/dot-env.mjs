import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';

const SECRET_NAME = 'INTERNAL_API_SECRET';
const SECRET_BYTES = 24;
const OWNER_ONLY = 0o600;
const ASSIGNMENT = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)$/;

/**
 * KEY=VALUE lines. Quotes may hold anything but themselves, also line ends; in double quotes \n means one;
 * outside quotes a # after a space begins a comment. The last line of a name counts.
 */
export function parseDotEnv(text) {
  const values = {};
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (let at = 0; at < lines.length; at += 1) {
    const [, name, rest] = ASSIGNMENT.exec(lines[at]) ?? [];
    if (!name) continue;
    const quote = /^["'`]/.exec(rest)?.[0];
    const taken = quote ? takeQuoted(lines, at, { first: rest, quote }) : undefined;
    values[name] = taken ? taken.value : rest.replace(/(^|\s)#.*$/, '').trim();
    if (taken) at = taken.lastLine;
  }
  return values;
}

/** @returns the text between the quotes and the line they end on, or undefined when they never end */
function takeQuoted(lines, at, { first, quote }) {
  let value = first.slice(1);
  for (let line = at; ; line += 1) {
    const end = value.indexOf(quote);
    if (end >= 0) {
      const inner = value.slice(0, end);
      return { value: quote === '"' ? inner.replaceAll('\\n', '\n') : inner, lastLine: line };
    }
    if (line + 1 >= lines.length) return undefined;
    value += `\n${lines[line + 1]}`;
  }
}

/** The variables of the process over those of the file; a variable set to nothing counts as not set. */
export function readEnvironment(file) {
  const fromFile = existsSync(file) ? parseDotEnv(readFileSync(file, 'utf8')) : {};
  const fromProcess = Object.entries(process.env).filter(
    ([name, value]) => value !== '' || !(name in fromFile),
  );
  return { ...fromFile, ...Object.fromEntries(fromProcess) };
}

/**
 * Makes a development secret once, so that a fresh clone starts without configuration.
 * @returns whether one was made
 */
export function ensureSecret(file, env) {
  if (env[SECRET_NAME]) return false;
  const secret = randomBytes(SECRET_BYTES).toString('hex');
  const assignment = `${SECRET_NAME}=${secret}`;
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const emptyLine = new RegExp(`^[ \\t]*${SECRET_NAME}[ \\t]*=[ \\t]*(""|'')?[ \\t]*$`, 'm');
  writeWhole(
    file,
    emptyLine.test(before) ? before.replace(emptyLine, assignment) : appended(before, assignment),
  );
  env[SECRET_NAME] = secret;
  return true;
}

function appended(before, assignment) {
  const separator = before === '' || before.endsWith('\n') ? '' : '\n';
  return `${before}${separator}# A secret for development only, made by npm start. Production gets its own.\n${assignment}\n`;
}

/** By way of a second file: somebody's settings must survive a full disk. */
function writeWhole(file, text) {
  const mode = existsSync(file) ? statSync(file).mode & 0o777 : OWNER_ONLY;
  const temporary = `${file}.new`;
  writeFileSync(temporary, text, { mode });
  renameSync(temporary, file);
}
