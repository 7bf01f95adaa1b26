import { createHash } from "node:crypto";
import { AwsError } from "../../awsError.ts";
import type { EmulatorReply } from "../../http.ts";
import { element, XML_DECLARATION } from "../../protocols/restXml.ts";
import { requireObjectAccess } from "../access.ts";
import { checkCannedAcl } from "../acl.ts";
import { MAX_INLINE_BYTES, MAX_PUT_BYTES, pump, type ReceivedBody } from "../bodies/receive.ts";
import { BodySink, type Digests } from "../bodies/sink.ts";
import type { Operation, S3Call, S3Context } from "../call.ts";
import { checksumInHeaders } from "../checksumHeaders.ts";
import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm, digestOf, loadHashers } from "../checksums.ts";
import { writeConditions } from "../conditionKeys.ts";
import { entityTooLarge, invalidArgument } from "../errors.ts";
import { screenHeaders } from "../headerScreen.ts";
import { metadataFromHeaders, type ObjectMetadata } from "../metadata.ts";
import { boundaryOf, FormParser } from "../postUpload/formParser.ts";
import { checkPostPolicy, checkPostSize, type PostPolicy, parsePostPolicy } from "../postUpload/policy.ts";
import type { BucketRecord, ObjectRecord } from "../records.ts";
import { checkKeyLength } from "../routing.ts";
import { parseTagging } from "../tags.ts";
import { commit, commitObject, fullChecksum, newVersionHeader, originOf, storeBody } from "../writes.ts";

/**
 * An upload from a browser's form, allowed by a signed policy in the form itself.
 *
 * Throws   AccessDenied 403 (policy), InvalidArgument, EntityTooLarge, EntityTooSmall, BadDigest, MalformedPOSTRequest 400,
 *          PreconditionFailed 412 for another content type
 * Emits    s3:ObjectCreated:Post
 * https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
 */
export const postObject: Operation = async (context, call) => {
  const boundary = boundaryOf(call.request.headers["content-type"]);
  if (boundary === undefined) {
    throw new AwsError("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412, {
      details: { Condition: "Bucket POST must be of the enclosure-type multipart/form-data" },
    });
  }
  context.store.getBucket(call.bucket);
  // Which one the form wants is known when its file has begun to come in.
  await loadHashers(CHECKSUM_ALGORITHMS);
  const fields = new Map<string, string>();
  let upload: Upload | undefined;
  const parser = new FormParser(boundary, {
    onField: (name, value) => fields.set(name.toLowerCase(), value),
    onFile: (fileName) => {
      upload = beginUpload(context, call, fields, fileName);
    },
    onData: (bytes) => upload?.write(bytes),
  });
  let body: ReceivedBody;
  try {
    await pump(call.request.stream, (piece) => {
      parser.push(piece);
      return upload?.wantsMore() ?? true;
    });
    parser.finish();
    if (!upload) {
      throw invalidArgument("POST requires exactly one file upload per request.", "file", "0");
    }
    body = await upload.finish();
  } catch (error) {
    await upload?.discard();
    throw error;
  }
  const { postCall, metadata } = upload;
  const record = commit(context, body, () => {
    const draft = {
      ...metadata,
      size: body.size,
      etag: body.md5.toString("hex"),
      checksum: fullChecksum(body.checksum.algorithm, body.checksum.digest),
      body: storeBody(context, body),
    };
    const bucket = context.store.getBucket(call.bucket);
    return commitObject(context, bucket, postCall.key, draft, "ObjectCreated:Post", originOf(postCall));
  });
  return postReply(postCall, fields, record, context.store.getBucket(call.bucket));
};

/** The request as if the form's fields were its headers: they mean the same. */
function callOfForm(context: S3Context, call: S3Call, fields: ReadonlyMap<string, string>, fileName: string): S3Call {
  const key = fields.get("key")?.replaceAll(`\${filename}`, fileName);
  if (!key) {
    throw invalidArgument(
      "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.",
      "key",
      "",
    );
  }
  checkKeyLength(key);
  const caller =
    fields.has("policy") || call.caller.kind === "anonymous" ? context.authenticatePostPolicy(fields) : call.caller;
  const headers = Object.fromEntries([...fields].filter(([name]) => name !== "tagging"));
  if (fields.has("acl")) headers["x-amz-acl"] = fields.get("acl")!;
  return { ...call, key, caller, request: { ...call.request, headers } };
}

function beginUpload(context: S3Context, call: S3Call, fields: Map<string, string>, fileName: string): Upload {
  const postCall = callOfForm(context, call, fields, fileName);
  const policyText = fields.get("policy");
  const policy = policyText === undefined ? undefined : parsePostPolicy(policyText);
  if (policy) {
    const given = new Map([...fields, ["bucket", call.bucket], ["key", postCall.key]] as [string, string][]);
    checkPostPolicy(policy, given, context.settings.now());
  }
  const tagging = fields.get("tagging");
  const tags = tagging === undefined ? undefined : parseTagging(Buffer.from(tagging), "object");
  const asked = writeConditions(postCall, true, tags);
  const bucket = requireObjectAccess(context, postCall, "s3:PutObject", asked);
  if (tags) requireObjectAccess(context, postCall, "s3:PutObjectTagging", asked);
  screenHeaders(postCall.request, "PostObject");
  checkCannedAcl(postCall, bucket, "s3:PutObject");
  const metadata = metadataFromHeaders(postCall);
  if (tags) metadata.tags = tags;
  return new Upload(context, postCall, metadata, policy);
}

/** The file of a form on its way in: its length is known only at its end. */
class Upload {
  readonly postCall: S3Call;
  readonly metadata: ObjectMetadata;
  readonly #context: S3Context;
  readonly #policy: PostPolicy | undefined;
  readonly #promised: { algorithm: ChecksumAlgorithm; value: Buffer } | undefined;
  #pieces: Buffer[] = [];
  #size = 0;
  #sink: BodySink | undefined;
  #isPaused = false;

  constructor(context: S3Context, postCall: S3Call, metadata: ObjectMetadata, policy: PostPolicy | undefined) {
    this.#context = context;
    this.postCall = postCall;
    this.metadata = metadata;
    this.#policy = policy;
    this.#promised = checksumInHeaders(postCall);
  }

  get #algorithm(): ChecksumAlgorithm {
    return this.#promised?.algorithm ?? "CRC64NVME";
  }

  write(bytes: Buffer): void {
    this.#size += bytes.length;
    checkPostSize(this.#policy, this.#size, false);
    if (this.#size > MAX_PUT_BYTES) throw entityTooLarge(this.#size, MAX_PUT_BYTES);
    if (!this.#sink && this.#size <= MAX_INLINE_BYTES) {
      this.#pieces.push(bytes);
      return;
    }
    if (!this.#sink) {
      this.#sink = new BodySink(this.#context.store.blobs, new Set([this.#algorithm]), this.#size);
      this.#sink.onDrain = () => {
        this.#isPaused = false;
        this.postCall.request.stream.resume();
      };
      for (const piece of this.#pieces) this.#sink.write(piece);
      this.#pieces = [];
    }
    if (!this.#sink.write(bytes)) this.#isPaused = true;
  }

  wantsMore(): boolean {
    return !this.#isPaused;
  }

  async finish(): Promise<ReceivedBody> {
    checkPostSize(this.#policy, this.#size, true);
    const bytes = Buffer.concat(this.#pieces);
    const digests: Digests = this.#sink
      ? await this.#sink.finish()
      : {
          md5: createHash("md5").update(bytes).digest(),
          checksums: new Map([[this.#algorithm, digestOf(this.#algorithm, bytes)]]),
        };
    const digest = digests.checksums.get(this.#algorithm)!;
    if (this.#promised && !this.#promised.value.equals(digest)) {
      throw new AwsError("BadDigest", `The ${this.#algorithm} you specified did not match the calculated checksum.`);
    }
    return {
      size: this.#size,
      md5: digests.md5,
      checksum: { algorithm: this.#algorithm, digest },
      content: this.#sink ? { blob: this.#sink.blob } : { bytes },
    };
  }

  async discard(): Promise<void> {
    await this.#sink?.discard();
  }
}

function postReply(
  call: S3Call,
  fields: ReadonlyMap<string, string>,
  record: ObjectRecord,
  bucket: BucketRecord,
): EmulatorReply {
  const etag = `"${record.etag}"`;
  const location = `http://${call.request.host}/${bucket.name}/${encodeURIComponent(call.key)}`;
  const headers: Record<string, string> = {
    etag,
    location,
    "x-amz-server-side-encryption": "AES256",
    ...newVersionHeader(record),
  };
  const redirect = fields.get("success_action_redirect") ?? fields.get("redirect");
  if (redirect !== undefined && URL.canParse(redirect)) {
    const url = new URL(redirect);
    for (const [name, value] of Object.entries({ bucket: bucket.name, key: call.key, etag })) {
      url.searchParams.append(name, value);
    }
    return { status: 303, headers: { ...headers, location: url.href } };
  }
  const status = fields.get("success_action_status");
  if (status === "201") {
    const content =
      element("Location", location) + element("Bucket", bucket.name) + element("Key", call.key) + element("ETag", etag);
    return {
      status: 201,
      headers: { ...headers, "content-type": "application/xml" },
      body: `${XML_DECLARATION}<PostResponse>${content}</PostResponse>`,
    };
  }
  return { status: status === "200" ? 200 : 204, headers };
}
