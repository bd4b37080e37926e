/** Reads RFC 4180: quoted cells, doubled quotes, CRLF. Fails on anything else, so it does not forgive a wrong file. */
export function readCsv(text: string): string[][] {
  const rows: string[][] = [];
  let at = 0;
  while (at < text.length) {
    const row: string[] = [];
    for (;;) {
      const [cell, end] = readCell(text, at);
      row.push(cell);
      at = end;
      if (text[at] !== ',') break;
      at += 1;
    }
    if (!text.startsWith('\r\n', at)) throw new Error(`no CRLF after row ${rows.length + 1}`);
    at += 2;
    rows.push(row);
  }
  return rows;
}

function readCell(text: string, start: number): [string, number] {
  if (text[start] !== '"') {
    const plain = /[^",\r\n]*/y;
    plain.lastIndex = start;
    const [cell = ''] = plain.exec(text) ?? [];
    return [cell, start + cell.length];
  }
  let cell = '';
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) throw new Error('a quoted cell has no end');
    cell += text.slice(at, quote);
    if (text[quote + 1] !== '"') return [cell, quote + 1];
    cell += '"';
    at = quote + 2;
  }
}
