/** Something the person at the terminal can act on: shown as it is, without a stack trace. */
export class Trouble extends Error {}
