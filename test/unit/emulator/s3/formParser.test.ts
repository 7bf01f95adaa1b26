// biome-ignore-all lint/suspicious/noTemplateCurlyInString: S3 itself replaces ${filename}.
import { expect, test } from "vitest";
import { AwsError } from "../../../../src/emulator/awsError.ts";
import { boundaryOf, FormParser } from "../../../../src/emulator/s3/postUpload/formParser.ts";

const FORM = Buffer.from(
  [
    "--xyz",
    'Content-Disposition: form-data; name="key"',
    "",
    "in/${filename}",
    "--xyz",
    'Content-Disposition: form-data; name="empty"',
    "",
    "",
    "--xyz",
    'Content-Disposition: form-data; name="file"; filename="a b.csv"',
    "Content-Type: text/csv",
    "",
    "id,x\r\n1,--xyz\r\n--xy\r\n",
    "--xyz",
    'Content-Disposition: form-data; name="submit"',
    "",
    "ignored",
    "--xyz--",
    "",
  ].join("\r\n"),
);

function read(pieces: Buffer[]) {
  const seen = { fields: {} as Record<string, string>, file: "", data: "" };
  const parser = new FormParser("xyz", {
    onField: (name, value) => {
      seen.fields[name] = value;
    },
    onFile: (name) => {
      seen.file = name;
    },
    onData: (bytes) => {
      seen.data += bytes.toString();
    },
  });
  for (const piece of pieces) parser.push(piece);
  parser.finish();
  return seen;
}

test("a form reads the same at every split", () => {
  const expected = {
    fields: { key: "in/${filename}", empty: "" },
    file: "a b.csv",
    data: "id,x\r\n1,--xyz\r\n--xy\r\n",
  };
  for (let at = 0; at <= FORM.length; at++) {
    expect(read([FORM.subarray(0, at), FORM.subarray(at)])).toEqual(expected);
  }
  expect(read(Array.from(FORM, (byte) => Buffer.from([byte])))).toEqual(expected);
});

test("a form that breaks off within its file is an error", () => {
  const end = FORM.indexOf("--xy\r\n");
  expect(() => read([FORM.subarray(0, end)])).toThrow(AwsError);
});

test("fields before the file are bounded", () => {
  const field = `--xyz\r\nContent-Disposition: form-data; name="a"\r\n\r\n${"v".repeat(30_000)}`;
  expect(() => read([Buffer.from(field)])).toThrow(/too large/);
});

test.each([
  ['multipart/form-data; boundary="a b"', "a b"],
  ["multipart/form-data; charset=utf-8; boundary=----x", "----x"],
  ["application/json", undefined],
  [undefined, undefined],
])("boundary of %s", (type, boundary) => expect(boundaryOf(type)).toBe(boundary));
