import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { RuntimeApi } from "../../../../src/emulator/lambda/runtimeApi.ts";

async function runtimeApi() {
  const heard: unknown[] = [];
  const api = new RuntimeApi({
    next: () => heard.push("next"),
    response: (id, body) => {
      heard.push(["response", id, body?.toString()]);
      return id === "right" ? "accepted" : id === "late" ? "invalidState" : "invalidRequestId";
    },
    error: (id, body, type) => {
      heard.push(["error", id, body.toString(), type]);
      return "accepted";
    },
    initError: (body, type) => {
      heard.push(["init", body.toString(), type]);
      return "accepted";
    },
  });
  const address = await api.listen();
  onTestFinished(() => api.close());
  const base = `http://${address}/2018-06-01/runtime`;
  const post = async (path: string, body: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${base}/${path}`, { method: "POST", body, headers });
    return [answer.status, await answer.json()];
  };
  return { api, address, base, post, heard };
}

test("next waits for an event and comes with its headers", async () => {
  const { api, base, heard } = await runtimeApi();
  const answer = fetch(`${base}/invocation/next`);
  await expect.poll(() => api.isWaiting).toBe(true);
  api.send(Buffer.from('{"n":1}'), { "Lambda-Runtime-Aws-Request-Id": "right" });
  const event = await answer;
  expect([event.headers.get("lambda-runtime-aws-request-id"), await event.json()]).toEqual(["right", { n: 1 }]);
  expect(heard).toEqual(["next"]);
});

test("answers are acknowledged, wrong ids and states are not", async () => {
  const { post, heard } = await runtimeApi();
  expect(await post("invocation/right/response", "1")).toEqual([202, { status: "OK" }]);
  expect(await post("invocation/other/response", "1")).toEqual([
    400,
    { errorMessage: "Invalid request ID", errorType: "InvalidRequestID" },
  ]);
  expect(await post("invocation/late/response", "1")).toEqual([
    403,
    { errorMessage: "State transition is not allowed", errorType: "InvalidStateTransition" },
  ]);
  expect(await post("invocation/right/response", "x".repeat(6_291_557))).toEqual([
    413,
    { errorMessage: "Exceeded maximum allowed payload size (6291556 bytes).", errorType: "RequestEntityTooLarge" },
  ]);
  const type = { "Lambda-Runtime-Function-Error-Type": "Runtime.Odd" };
  expect((await post("invocation/right/error", "{}", type))[0]).toBe(202);
  expect((await post("init/error", "{}", type))[0]).toBe(202);
  expect(heard.slice(-3)).toEqual([
    ["response", "right", undefined],
    ["error", "right", "{}", "Runtime.Odd"],
    ["init", "{}", "Runtime.Odd"],
  ]);
  expect((await post("unknown/call", ""))[0]).toBe(404);
});

test("a web page cannot speak to it: neither with an Origin nor under another host name", async () => {
  const { address, post, heard } = await runtimeApi();
  expect((await post("init/error", "{}", { Origin: "http://evil.example" }))[0]).toBe(403);
  const [host, port] = address.split(":");
  const socket = connect(Number(port), host);
  socket.end("POST /2018-06-01/runtime/init/error HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 2\r\n\r\n{}");
  let answer = "";
  for await (const chunk of socket) answer += chunk;
  expect(answer).toMatch(/^HTTP\/1\.1 403 /);
  expect(heard).toEqual([]);
});
