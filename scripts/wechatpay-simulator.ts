import { parseArgs } from 'node:util';
import { MODES } from '../test/support/wechatpay-simulator/keys.ts';
import type { Mode } from '../test/support/wechatpay-simulator/keys.ts';
import { startWechatPaySimulator } from '../test/support/wechatpay-simulator/simulator.ts';

const PORT_DEFAULT = 18_090;
const PORT_MAX = 65_535;
const CALLBACK_DEFAULT = 'http://127.0.0.1:8080/api/payment/callback';
const REFUND_CALLBACK_DEFAULT = 'http://127.0.0.1:8080/api/payment/refund-callback';

const HELP = `npm run wechatpay:simulator [-- --mode MODE --port N --notify-url URL --refund-notify-url URL]

A WeChat Pay of your own, for one made-up merchant, on this machine only: real signatures, no real money. It writes the
variables for the backend's .env on standard output, and everything it has to say on standard error:

  npm run --silent wechatpay:simulator > wechatpay.env

The keys are made anew at each start, and what happened is forgotten at the end. Orders are placed and paid under
/sim/ at its address (curl ADDRESS/sim/ tells how), which is also where the clock is set forward and faults are set.

  --mode MODE              ${MODES.join(', ')} (default public-key)
  --port N                 where it listens (default ${PORT_DEFAULT}; 0: any free port)
  --notify-url URL         where the payment of an order goes that names no place
                           (default ${CALLBACK_DEFAULT})
  --refund-notify-url URL  the same for refunds
                           (default ${REFUND_CALLBACK_DEFAULT})
  --help                   shows this
`;

/** What was asked for cannot be done; the message is for the person who asked. */
class Trouble extends Error {}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Trouble ? error.message : String((error as Error).stack)}\n`);
  return 1;
});

async function main(args: readonly string[]): Promise<number> {
  const given = readOptions(args);
  if (given.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const simulator = await startWechatPaySimulator({
    mode: given.mode,
    port: given.port,
    isSelfDriven: true,
    settings: { notifyUrl: given.notifyUrl, refundNotifyUrl: given.refundNotifyUrl },
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw new Trouble(`Port ${given.port} is taken. Name another one: --port N`);
  });
  const lines = Object.entries(simulator.env).map(([name, value]) => `${name}=${quoted(value)}\n`);
  process.stdout.write(lines.join(''));
  process.stderr.write(
    `\nWeChat Pay is simulated at ${simulator.baseUrl} (${given.mode}). To drive it: curl ${simulator.baseUrl}/sim/\n`,
  );
  await untilTold();
  await simulator.close();
  return 0;
}

/** With quotes both a shell and the backend's .env take it as one value, with each \n left as it is. */
function quoted(value: string): string {
  return value.includes(' ') ? `"${value}"` : value;
}

function untilTold(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

function readOptions(args: readonly string[]) {
  const given = parse(args);
  const mode = given.mode ?? 'public-key';
  if (!isMode(mode)) throw new Trouble(`--mode must be one of ${MODES.join(', ')}.`);
  const port = Number(given.port ?? PORT_DEFAULT);
  if (!/^\d+$/.test(given.port ?? '0') || port > PORT_MAX) {
    throw new Trouble(`--port must be a whole number up to ${PORT_MAX}.`);
  }
  return {
    help: given.help ?? false,
    mode,
    port,
    notifyUrl: readUrl('--notify-url', given['notify-url'] ?? CALLBACK_DEFAULT),
    refundNotifyUrl: readUrl('--refund-notify-url', given['refund-notify-url'] ?? REFUND_CALLBACK_DEFAULT),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h' },
        mode: { type: 'string' },
        port: { type: 'string' },
        'notify-url': { type: 'string' },
        'refund-notify-url': { type: 'string' },
      },
    }).values;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Trouble(`${reason}\nSee npm run wechatpay:simulator -- --help`);
  }
}

function isMode(text: string): text is Mode {
  return (MODES as readonly string[]).includes(text);
}

function readUrl(option: string, text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text) || text.includes('?')) {
    throw new Trouble(`${option} must be an http or https address without a query.`);
  }
  return text;
}
