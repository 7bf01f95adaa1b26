# The Python runtime of the embedded endpoint's Lambda: loads the handler, then asks the Runtime API for one invocation
# after another (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). It runs inside the function's process,
# with the standard library alone, and loads as little as it can: what it loads is part of every cold start.
import importlib
import json
import logging
import os
import socket
import struct
import sys
import time
import traceback

import temporary_folder

# A module of the function may have this name.
del sys.modules["temporary_folder"]

LOG_FD = 3
FRAME_TYPE = 0xA55A0003
# Longer events are split by the other side in any case.
MAX_EVENT_CHARS = 1 << 20
TASK_ROOT = os.environ["LAMBDA_TASK_ROOT"]
HOST, PORT = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
JSON_LOGS = os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"
LEVELS = {
    "TRACE": logging.NOTSET,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARN": logging.WARNING,
    "ERROR": logging.ERROR,
    "FATAL": logging.CRITICAL,
}


def write_log_event(text):
    """Writes one log event, newlines included. Frame: type, length in bytes, microseconds since the epoch; then the text."""
    for start in range(0, len(text), MAX_EVENT_CHARS):
        message = text[start : start + MAX_EVENT_CHARS].encode("utf-8", "replace")
        frame = struct.pack(">IIQ", FRAME_TYPE, len(message), int(time.time() * 1_000_000)) + message
        while frame:
            frame = frame[os.write(LOG_FD, frame) :]


class InitFailure(Exception):
    """The function cannot be loaded. `type` is one of Lambda's Runtime.* names."""

    def __init__(self, type, message, trace=()):
        super().__init__(message)
        self.type = type
        self.message = message
        self.trace = list(trace)


class RuntimeApi:
    """The Runtime API over one connection. An HTTP client costs tens of milliseconds of every cold start."""

    def __init__(self):
        self.socket = socket.create_connection((HOST, int(PORT)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""

    def call(self, method, url, body=None, headers=""):
        head = f"{method} /2018-06-01/runtime/{url} HTTP/1.1\r\nHost: {HOST}:{PORT}\r\n{headers}"
        if body is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        self.socket.sendall(head.encode("latin-1") + b"\r\n" + (body or b""))
        return self.read_answer()

    def read_answer(self):
        while b"\r\n\r\n" not in self.received:
            self.read_more()
        head, self.received = self.received.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", "0"))
        parts = [self.received]
        size = len(self.received)
        while size < length:
            part = self.socket.recv(1 << 20)
            if not part:
                os._exit(0)
            parts.append(part)
            size += len(part)
        everything = b"".join(parts)
        self.received = everything[length:]
        return int(first.split(" ")[1]), headers, everything[:length]

    def read_more(self):
        try:
            part = self.socket.recv(1 << 16)
        except OSError:
            part = b""
        # Without its Runtime API a runtime has nothing left to do.
        if not part:
            os._exit(0)
        self.received += part

    def post_failure(self, url, type, message, trace, request_id=None):
        body = {"errorMessage": message, "errorType": type}
        if request_id is not None:
            body["requestId"] = request_id
        body["stackTrace"] = trace
        header = f"Lambda-Runtime-Function-Error-Type: {type}\r\n" if type.isascii() and type.isprintable() else ""
        self.call("POST", url, json.dumps(body, default=str).encode("utf-8"), header)


class LambdaContext:
    """https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""

    def __init__(self, headers):
        self._deadline_ms = int(headers["lambda-runtime-deadline-ms"])
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.invoked_function_arn = headers["lambda-runtime-invoked-function-arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.client_context = client_context(headers.get("lambda-runtime-client-context"))
        self.identity = Members({"cognito_identity_id": None, "cognito_identity_pool_id": None})

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline_ms - int(time.time() * 1000))

    def log(self, message):
        sys.stdout.write(str(message))


class Members:
    """An object with these attributes."""

    def __init__(self, members):
        self.__dict__.update(members)

    def __repr__(self):
        return f"{type(self).__name__}({self.__dict__})"


def client_context(text):
    if not text:
        return None
    sent = json.loads(text)
    client = sent.get("client")
    return Members({"custom": sent.get("custom"), "env": sent.get("env"), "client": Members(client) if client else None})


current_request_id = ""


class LambdaLogHandler(logging.Handler):
    """What `logging` writes: one event per record, as text or as JSON."""

    def emit(self, record):
        try:
            write_log_event(json_line(record) if JSON_LOGS else self.format(record))
        except Exception:
            self.handleError(record)


class LambdaLogFilter(logging.Filter):
    def filter(self, record):
        record.aws_request_id = current_request_id
        return True


def json_line(record):
    line = {
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
        "level": "WARN" if record.levelname == "WARNING" else "FATAL" if record.levelname == "CRITICAL" else record.levelname,
        "message": record.getMessage(),
        "logger": record.name,
    }
    if current_request_id:
        line["requestId"] = current_request_id
    if record.exc_info:
        kind, error, trace = record.exc_info
        line["errorType"] = kind.__name__
        line["errorMessage"] = str(error)
        line["stackTrace"] = traceback.format_tb(trace)
    return json.dumps(line, default=str) + "\n"


def set_up_logging():
    handler = LambdaLogHandler()
    formatter = logging.Formatter(
        "[%(levelname)s]\t%(asctime)s.%(msecs)dZ\t%(aws_request_id)s\t%(message)s\n", "%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.addFilter(LambdaLogFilter())
    root = logging.getLogger()
    root.addHandler(handler)
    if JSON_LOGS:
        root.setLevel(LEVELS.get(os.environ.get("AWS_LAMBDA_LOG_LEVEL", "INFO"), logging.INFO))


def load_handler():
    written = os.environ["_HANDLER"]
    module_name, dot, function_name = written.rpartition(".")
    if not dot or not module_name or not function_name:
        raise InitFailure("Runtime.MalformedHandlerName", f"Bad handler '{written}': not enough values to unpack (expected 2, got 1)")
    sys.path.insert(0, TASK_ROOT)
    dotted = module_name.replace("/", ".")
    if dotted.split(".")[0] in sys.builtin_module_names:
        raise InitFailure(
            "Runtime.BuiltInModuleConflict", f"Cannot use built-in module {module_name} as a handler module"
        )
    try:
        module = importlib.import_module(dotted)
    except ImportError as error:
        raise InitFailure("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from error
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text or ""}']
        raise InitFailure("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}", trace) from error
    handler = getattr(module, function_name, None)
    if handler is None:
        raise InitFailure(
            "Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'"
        )
    return handler


def own_frames(error):
    """The frames of the function's own code: what the import machinery and this file add is left out."""
    frames = traceback.extract_tb(error.__traceback__)
    return traceback.format_list(
        [frame for frame in frames if frame.filename != __file__ and not frame.filename.startswith("<frozen importlib")]
    )


def log_failure(type, message, trace):
    if JSON_LOGS:
        line = {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "log_level": "ERROR"}
        line.update({"errorMessage": message, "errorType": type, "requestId": current_request_id, "stackTrace": trace})
        write_log_event(json.dumps(line) + "\n")
        return
    text = f"[ERROR] {type}: {message}\n"
    if trace:
        text += "Traceback (most recent call last):\n" + "".join(trace)
    write_log_event(text if text.endswith("\n") else text + "\n")


def main():
    global current_request_id
    api = RuntimeApi()
    set_up_logging()
    temporary_folder.install()
    if sys.argv[1:] == ["--ahead"]:
        # Started before there is an invocation: nothing of the function is loaded until the Runtime API says so.
        del sys.argv[1]
        api.call("GET", "init/begin")
    # This file's folder is on the path because it was started from there; a function must not import from it.
    sys.path = [entry for entry in sys.path if os.path.abspath(entry or ".") != os.path.dirname(os.path.abspath(__file__))]
    try:
        handler = load_handler()
    except InitFailure as failure:
        log_failure(failure.type, failure.message, failure.trace)
        api.post_failure("init/error", failure.type, failure.message, failure.trace, "")
        os._exit(1)
    except BaseException as error:
        if isinstance(error, SystemExit):
            raise
        log_failure(type(error).__name__, str(error), own_frames(error))
        api.post_failure("init/error", type(error).__name__, str(error), own_frames(error), "")
        os._exit(1)
    while True:
        status, headers, body = api.call("GET", "invocation/next")
        if status != 200:
            os._exit(1)
        current_request_id = headers["lambda-runtime-aws-request-id"]
        if headers.get("lambda-runtime-trace-id"):
            os.environ["_X_AMZN_TRACE_ID"] = headers["lambda-runtime-trace-id"]
        try:
            context = LambdaContext(headers)
            try:
                event = json.loads(body)
            except ValueError as error:
                raise InitFailure("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from error
            result = handler(event, context)
            try:
                response = json.dumps(result, ensure_ascii=False).encode("utf-8")
            except Exception as error:
                raise InitFailure("Runtime.MarshalError", f"Unable to marshal response: {error}") from error
        except InitFailure as failure:
            fail(api, failure.type, failure.message, failure.trace)
            continue
        except Exception as error:
            fail(api, type(error).__name__, str(error), own_frames(error))
            continue
        sys.stdout.flush()
        status, _, _ = api.call("POST", f"invocation/{current_request_id}/response", response)
        if status >= 500:
            os._exit(1)


def fail(api, type, message, trace):
    log_failure(type, message, trace)
    sys.stdout.flush()
    api.post_failure(f"invocation/{current_request_id}/error", type, message, trace, current_request_id)


if __name__ == "__main__":
    main()
