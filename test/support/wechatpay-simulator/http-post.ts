import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

/** What came back from the merchant: a status, or the reason why there is none. */
export type PostResult = { status: number | null; body: string; error: string | null };

type Message = { headers: Record<string, string>; body: Buffer };

/** WeChat Pay waits five seconds for the answer to a notice. */
const ANSWER_WITHIN_MS = 5_000;
const KEPT_BODY_LENGTH_MAX = 4_096;

/** Posts once, on a connection of its own, and follows no redirect. No answer is a result, not a rejection. */
export async function post(url: string, message: Message): Promise<PostResult> {
  try {
    return await exchange(url, message);
  } catch (error) {
    return { status: null, body: '', error: error instanceof Error ? error.message : String(error) };
  }
}

function exchange(url: string, { headers, body }: Message): Promise<PostResult> {
  return new Promise((resolve, reject) => {
    const open = url.startsWith('https:') ? httpsRequest : httpRequest;
    const options = {
      method: 'POST',
      agent: false,
      headers: { ...headers, 'Content-Length': String(body.length) },
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    } as const;
    const request = open(url, options, (response) => {
      let answer = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => (answer = (answer + text).slice(0, KEPT_BODY_LENGTH_MAX)));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? null, body: answer, error: null }));
    });
    request.on('error', reject);
    request.end(body);
  });
}
