export function toTerminalLine(line: string, options: { verbose: boolean }): string | undefined;
