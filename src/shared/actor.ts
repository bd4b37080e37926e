/** Who changes something, and by which request: what the audit log keeps of them. */
export type Actor = {
  /** `admin:<name of the token>`, `cli:<user of the machine>` or `system:<part of this backend>`. */
  readonly name: string;
  readonly requestId?: string;
  readonly sourceIp?: string;
};
