import { AwsError } from "../../awsError.ts";
import { incompleteBody } from "../errors.ts";

export interface FormListener {
  onField(name: string, value: string): void;
  /** The `file` field begins: it is the last one that counts. Its own Content-Type does not, as on AWS. */
  onFile(fileName: string): void;
  /** A piece of the file. */
  onData(bytes: Buffer): void;
}

/** All that comes before the file. https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTForms.html */
const MAX_PRE_DATA_BYTES = 20 * 1024;
const CRLF = Buffer.from("\r\n");
const HEADERS_END = Buffer.from("\r\n\r\n");

/** `boundary` of a multipart/form-data content type. */
export function boundaryOf(contentType: string | undefined): string | undefined {
  const match = /^multipart\/form-data\s*;.*?\bboundary=(?:"([^"]{1,70})"|([^\s;]{1,70}))/i.exec(contentType ?? "");
  return match?.[1] ?? match?.[2];
}

/**
 * Reads a multipart/form-data body, fed in pieces of any size, and holds no more of the file than one piece.
 * Throws MalformedPOSTRequest, MaxPostPreDataLengthExceededError, IncompleteBody 400.
 */
export class FormParser {
  readonly #delimiter: Buffer;
  readonly #listener: FormListener;
  /** A line break is put before the body, so that the first boundary looks like all others. */
  #rest: Buffer = CRLF;
  #state: "preamble" | "boundaryEnd" | "headers" | "field" | "file" | "end" = "preamble";
  #name = "";
  #before = 0;

  constructor(boundary: string, listener: FormListener) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`);
    this.#listener = listener;
  }

  push(piece: Buffer): void {
    if (this.#state === "end") return;
    this.#rest = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    if (this.#isBeforeFile()) this.#before += piece.length;
    while (this.#step()) {}
    if (this.#isBeforeFile() && this.#rest.length > MAX_PRE_DATA_BYTES) throw tooLong();
  }

  /** To be called when the body has ended. */
  finish(): void {
    if (this.#state !== "end") throw incompleteBody();
  }

  #isBeforeFile(): boolean {
    return this.#state !== "file" && this.#state !== "end";
  }

  /** True while there is more to do with what is at hand. */
  #step(): boolean {
    switch (this.#state) {
      case "preamble":
        return this.#take(this.#delimiter, () => {
          this.#state = "boundaryEnd";
        });
      case "boundaryEnd":
        return this.#endBoundary();
      case "headers":
        return this.#take(HEADERS_END, (bytes) => this.#startPart(bytes.toString("utf8")));
      case "field":
        return this.#take(this.#delimiter, (bytes) => {
          this.#listener.onField(this.#name, bytes.toString("utf8"));
          this.#state = "boundaryEnd";
        });
      case "file":
        return this.#takeFile();
      default:
        return false;
    }
  }

  /** Consumes up to and including `mark`; false when it is not there yet. */
  #take(mark: Buffer, use: (before: Buffer) => void): boolean {
    const at = this.#rest.indexOf(mark);
    if (at < 0) return false;
    const before = this.#rest.subarray(0, at);
    this.#rest = this.#rest.subarray(at + mark.length);
    use(before);
    return true;
  }

  #endBoundary(): boolean {
    if (this.#rest.length < 2) return false;
    const two = this.#rest.toString("latin1", 0, 2);
    if (two === "--") {
      this.#state = "end";
      return false;
    }
    if (two !== "\r\n") throw malformed();
    // The line break stays: a part without headers would begin with the empty line.
    this.#state = "headers";
    return true;
  }

  #startPart(headers: string): void {
    const disposition = /^content-disposition:\s*form-data\s*;(.*)$/im.exec(headers)?.[1];
    const name = disposition && /\bname="([^"]*)"/i.exec(disposition)?.[1];
    if (!disposition || name === undefined) throw malformed();
    if (name.toLowerCase() !== "file") {
      this.#name = name;
      this.#state = "field";
      return;
    }
    if (this.#before - this.#rest.length > MAX_PRE_DATA_BYTES) throw tooLong();
    const fileName = /\bfilename="([^"]*)"/i.exec(disposition)?.[1] ?? "";
    this.#state = "file";
    this.#listener.onFile(fileName);
  }

  #takeFile(): boolean {
    const at = this.#rest.indexOf(this.#delimiter);
    if (at >= 0) {
      if (at > 0) this.#listener.onData(this.#rest.subarray(0, at));
      this.#rest = Buffer.alloc(0);
      this.#state = "end";
      return false;
    }
    // The delimiter may have begun within the last bytes.
    const sure = this.#rest.length - this.#delimiter.length + 1;
    if (sure > 0) {
      this.#listener.onData(this.#rest.subarray(0, sure));
      this.#rest = this.#rest.subarray(sure);
    }
    return false;
  }
}

const malformed = () =>
  new AwsError("MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.");

const tooLong = () =>
  new AwsError(
    "MaxPostPreDataLengthExceededError",
    "Your POST request fields preceding the upload file were too large.",
  );
