/** What the textbook peer uses of Express: the package has no types of its own. */
declare module 'express' {
  type Request = { readonly body: unknown; get(header: string): string | undefined };
  type Response = { status(code: number): Response; json(body: unknown): void };
  type Middleware = (request: unknown, response: unknown, next: () => void) => void;
  type Application = {
    use(middleware: Middleware): void;
    post(path: string, handler: (request: Request, response: Response) => Promise<void>): void;
    listen(port: number, host: string): void;
  };
  const express: { (): Application; json(): Middleware };
  export default express;
}
