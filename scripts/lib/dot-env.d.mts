export function parseDotEnv(text: string): Record<string, string>;
export function readEnvironment(file: string): Record<string, string | undefined>;
export function ensureSecret(file: string, env: Record<string, string | undefined>): boolean;
