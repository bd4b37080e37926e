/**
 * Text as the usual collations compare it: without case, accents and blanks at the end. It makes more of two texts the same
 * than a server does, and is therefore only for finding what might be meant.
 */
export function foldText(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().trimEnd();
}
