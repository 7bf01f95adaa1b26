import { describe, expect, it } from "vitest";
import { SourceRowReader, type SourceShape } from "../../../src/verify/sourceRows.ts";

const COMMA: SourceShape = { delimiter: ",", quote: '"', backslash: false };

/** Each row as "line@offset cells" or "line@offset flaw text". */
function read(text: string, chunkSize: number, shape = COMMA): string[] {
  const rows: string[] = [];
  const reader = new SourceRowReader(shape, ({ cells, text, line, offset, flaw, suspect }) => {
    const shown = flaw === undefined ? JSON.stringify(cells) : `${flaw} ${JSON.stringify(text.toString("latin1"))}`;
    rows.push(`${line}@${offset} ${suspect ? "suspect " : ""}${shown}`);
  });
  const bytes = Buffer.from(text, "latin1");
  for (let start = 0; start < bytes.length; start += chunkSize) reader.push(bytes.subarray(start, start + chunkSize));
  reader.end();
  return rows;
}

describe("rows of a raw object, at every chunk size", () => {
  it.each<[string, string, string[], SourceShape?]>([
    ["nothing", "", []],
    ["a last row without a line ending", "a,b\n1,2", ['1@0 ["a","b"]', '2@4 ["1","2"]']],
    ["blank lines", "a\n\nb\n\n", ['1@0 ["a"]', '2@2 [""]', '3@3 ["b"]', '4@5 [""]']],
    ["all three line endings", "a\nb\r\nc\rd", ['1@0 ["a"]', '2@2 ["b"]', '3@5 ["c"]', '4@7 ["d"]']],
    ["a carriage return at the end", "a\r", ['1@0 ["a"]']],
    [
      "quoted delimiters, quotes and line breaks",
      '"a,b","c""d"\n"1\r\n2",3\n4,5\n',
      ['1@0 ["a,b","c\\"d"]', '2@13 ["1\\r\\n2","3"]', '4@22 ["4","5"]'],
    ],
    ["a quote inside an unquoted cell", 'a"b,c\nd,e\n', ['1@0 ["a\\"b","c"]', '2@6 ["d","e"]']],
    [
      "text behind a closing quote: costs one line",
      'a,b\n"x"y,2\n3,4\n',
      ['1@0 ["a","b"]', '2@4 stray-quote "\\"x\\"y,2"', '3@11 ["3","4"]'],
    ],
    [
      "a quote that is never closed: costs one line",
      'a,b\n"x,2\n3,4\n',
      ['1@0 ["a","b"]', '2@4 unclosed-quote "\\"x,2"', '3@9 ["3","4"]'],
    ],
    [
      "the rest of a quoted cell that was broken",
      '"one\ntwo "three" four",5\n6,7"8\n',
      ['1@0 stray-quote "\\"one"', '2@5 suspect ["two \\"three\\" four\\"","5"]', '3@25 ["6","7\\"8"]'],
    ],
    [
      "semicolons and apostrophes",
      "'a;b';c,d\n",
      ['1@0 ["a;b","c,d"]'],
      { delimiter: ";", quote: "'", backslash: false },
    ],
    [
      "backslashes before quotes, and others",
      '"a\\"b","c\\\\","d\\n"\n',
      ['1@0 ["a\\"b","c\\\\","d\\\\n"]'],
      { ...COMMA, backslash: true },
    ],
  ])("%s", (_, text, expected, shape) => {
    for (let chunkSize = 1; chunkSize <= text.length + 1; chunkSize += 1) {
      expect(read(text, chunkSize, shape), `chunks of ${chunkSize}`).toEqual(expected);
    }
  });

  it("a line that is longer than a row may be", () => {
    const long = "x".repeat(1024 * 1024);
    expect(read(`a\n${long}\nb\n`, 50_000).map((row) => row.slice(0, 20))).toEqual([
      '1@0 ["a"]',
      '2@2 row-too-long "xx',
      '3@1048579 ["b"]',
    ]);
  });
});
